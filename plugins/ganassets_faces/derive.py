"""Derive the compact head basis, the plugin's package data, from the `anny` human model.

Run it when the basis changes: ``python -m ganassets_faces.derive``. Training and generating read only the result, so
they need neither `anny` nor its slow first load and large cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .basis import EYES, JOINTS, MOUTH, SKIN
from .source_mesh import EyeSphere, SourceMesh, layout_eye_uvs, layout_uvs, make_eye_sphere, read_source_mesh

COMPONENTS = 64
SAMPLES = 8192
FIT_SAMPLES = 4096
CHUNK = 256
# MakeHuman bone of each joint. A bone outside this list moves with its nearest ancestor in it, else with the neck.
BONE_OF_JOINT = {"neck": "neck01", "head": "head", "jaw": "jaw", "eyeLeft": "eye.L", "eyeRight": "eye.R"}
HEAD, EYE_LEFT, EYE_RIGHT = (JOINTS.index(name) for name in ("head", "eyeLeft", "eyeRight"))
# Ages in years at anny's age anchors "baby", "child", "young", "old" (MakeHuman's convention).
AGE_YEARS = (1.0, 12.0, 25.0, 90.0)
AGE_ANCHORS = (0.0, 1 / 3, 2 / 3, 1.0)
# Standard deviations of MakeHuman's local modifiers (full range is -1 to 1); others have 0.2.
LOCAL_SPREAD = {"head": 0.13, "measure": 0.1, "neck": 0.15, "torso": 0.0, "l": 0.18, "mouth": 0.18}
# Modifiers that push a part to one side: faces are a little asymmetric, not crooked.
LOPSIDED = ("head-trans-out", "head-angle-out", "nose-trans-out", "mouth-trans-out", "neck-trans-out")
# Offsets of expressions below this are set to 0, in metres.
LEAST_OFFSET = 2e-5


@dataclass(frozen=True)
class ShapeModel:
    """Linear model of head shapes, in anny's axes, aligned at the head joint.

    Attributes:
        mean: (p, 3) metres, vertices, then joints.
        components: (k, p * 3) orthonormal principal components.
        explained: Share of the variance that the components explain.
        error: Root mean square distance in metres between heads and their reconstructions.
    """

    mean: np.ndarray
    components: np.ndarray
    explained: float
    error: float


def derive_basis(path: Path, seed: int = 0) -> None:
    """Derive the basis and write it to a file.

    Args:
        path: Npz file to write; its folder is created.
        seed: Random seed of the sampled heads.
    """
    import anny  # pyright: ignore[reportMissingImports]

    rng = np.random.default_rng(seed)
    model = anny.create_head_model(local_changes="all", facial_actions=True, all_phenotypes=True)
    mesh = read_source_mesh(model)
    sphere = make_eye_sphere()
    attributes = sample_attributes(SAMPLES, rng)
    coefficients = blendshape_coefficients(model, attributes, rng)
    shapes = fit_shape_model(model, mesh, sphere, coefficients[:FIT_SAMPLES])
    coordinates = project_heads(model, mesh, sphere, coefficients, shapes)
    spread = coordinates.std(0)
    print(f"{COMPONENTS} components explain {shapes.explained:.4%}; left over {shapes.error * 1000:.3f} mm RMS")

    # The origin lies on the ground below the neck joint, so a head stands at a neck's place in a scene.
    vertex_count = len(mesh.vertices) + 2 * len(sphere.points)
    floor = shapes.mean[: len(mesh.vertices)][:, 2].min()
    mean = to_y_up(shapes.mean - np.array([0.0, shapes.mean[vertex_count][1], floor]))
    components = to_y_up(shapes.components.reshape(COMPONENTS, -1, 3)) * spread[:, None, None]
    arrays = {
        "mean": mean.astype(np.float32),
        "components": components.astype(np.float16),
        **build_topology(mesh, sphere),
        **build_skin_weights(model, mesh, sphere),
        **build_expressions(model, mesh, sphere, mean),
        "sample_attributes": attributes.astype(np.float32),
        "sample_shapes": (coordinates / spread).astype(np.float16),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    print(path, path.stat().st_size, "bytes;", vertex_count, "vertices", len(arrays["faces"]), "quads")


def sample_attributes(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw attributes of people.

    Args:
        n: Number of people.
        rng: Random state.

    Returns:
        (n, 7) float64: age in years [8, 85], sex [0, 1] (0 female, 1 male), weight [0, 1],
        african, asian, european shares (sum 1), skin tone [0, 1] (0 lightest, 1 darkest).
    """
    age = np.clip(rng.gamma(4.0, 9.5, n) + 4, 8, 85)
    sex = rng.beta(0.35, 0.35, n)
    weight = rng.beta(2.2, 2.2, n)
    ancestry = rng.dirichlet((0.45, 0.45, 0.45), n)
    tone = ancestry @ np.array([0.72, 0.36, 0.22]) + rng.normal(0, 0.14, n)
    return np.column_stack([age, sex, weight, ancestry, np.clip(tone, 0, 1)])


def blendshape_coefficients(model: Any, attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the coefficients of the model's blend shapes; faces of equal attributes vary locally.

    Args:
        model: Anny's head model.
        attributes: (n, 7) people.
        rng: Random state.

    Returns:
        (n, b) float64.
    """
    import torch

    n = len(attributes)
    age = np.interp(attributes[:, 0], AGE_YEARS, AGE_ANCHORS)
    values = {
        "age": age,
        # anny: 0 male, 1 female
        "gender": 1 - attributes[:, 1],
        "weight": attributes[:, 2],
        "muscle": rng.beta(2, 2, n),
        "height": rng.beta(2, 2, n),
        "proportions": rng.beta(2, 2, n),
        "cupsize": np.full(n, 0.5),
        "firmness": np.full(n, 0.5),
        "african": attributes[:, 3],
        "asian": attributes[:, 4],
        "caucasian": attributes[:, 5],
    }
    local = {}
    for label in model.local_change_labels:
        if label.startswith("r-"):
            continue
        spread = 0.05 if label in LOPSIDED else LOCAL_SPREAD.get(label.split("-")[0], 0.2)
        amount = np.clip(rng.normal(0, spread, n), -0.9, 0.9)
        local[label] = amount
        if label.startswith("l-"):
            local["r" + label[1:]] = np.clip(amount + rng.normal(0, 0.03, n), -1, 1)

    def to_tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {name: torch.as_tensor(array, dtype=torch.float64) for name, array in arrays.items()}

    return model.get_phenotype_blendshape_coefficients(**to_tensors(values), local_changes=to_tensors(local)).numpy()


def fit_shape_model(model: Any, mesh: SourceMesh, sphere: EyeSphere, coefficients: np.ndarray) -> ShapeModel:
    """Fit a linear model to the heads of (n, b) blend shape coefficients by principal component analysis."""
    points = head_points_in_chunks(model, mesh, sphere, coefficients)
    mean = points.mean(0)
    flat = (points - mean).reshape(len(points), -1).astype(np.float32)
    # The Gram matrix of the heads is smaller than the covariance of their points and has the same eigenvalues.
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    order = np.argsort(values)[::-1][:COMPONENTS]
    components = (vectors[:, order].T @ flat) / np.sqrt(values[order])[:, None]
    residual = flat[:512] - (flat[:512] @ components.T) @ components
    error = np.sqrt((residual**2).reshape(512, -1, 3).sum(-1).mean())
    return ShapeModel(mean, components, float(values[order].sum() / values.sum()), float(error))


def project_heads(
    model: Any, mesh: SourceMesh, sphere: EyeSphere, coefficients: np.ndarray, shapes: ShapeModel
) -> np.ndarray:
    """Return the (n, k) coordinates on the components of the heads of (n, b) blend shape coefficients."""
    coordinates = []
    for start in range(0, len(coefficients), CHUNK):
        points = head_points(model, mesh, sphere, coefficients[start : start + CHUNK])
        coordinates.append((points - shapes.mean).reshape(len(points), -1) @ shapes.components.T)
    return np.concatenate(coordinates)


def head_points_in_chunks(model: Any, mesh: SourceMesh, sphere: EyeSphere, coefficients: np.ndarray) -> np.ndarray:
    """Return head_points of all coefficients, computed some at a time to bound memory."""
    starts = range(0, len(coefficients), CHUNK)
    return np.concatenate([head_points(model, mesh, sphere, coefficients[i : i + CHUNK]) for i in starts])


def head_points(model: Any, mesh: SourceMesh, sphere: EyeSphere, coefficients: np.ndarray) -> np.ndarray:
    """Return all points of heads.

    Args:
        model: Anny's head model.
        mesh: Its mesh.
        sphere: Sphere of the eyes.
        coefficients: (n, b) blend shape coefficients.

    Returns:
        (n, p, 3) metres in anny's axes: vertices, left eye, right eye, joints. Bodies differ in height, so the origin
        of each head is its head joint.
    """
    template, shapes = model.template_vertices.numpy(), model.blendshapes.numpy()
    joints, joint_shapes = model.template_bone_heads.numpy(), model.bone_heads_blendshapes.numpy()
    bones = [list(model.bone_labels).index(BONE_OF_JOINT[joint]) for joint in JOINTS]
    vertices = blend_shapes(template[mesh.vertices], shapes[:, mesh.vertices], coefficients)
    left, right = (blend_shapes(template[poles], shapes[:, poles], coefficients) for poles in mesh.eye_poles)
    left, right = place_eye(left, sphere.points), place_eye(right, sphere.points * np.array([-1.0, 1, 1]))
    joints = blend_shapes(joints[bones], joint_shapes[:, bones], coefficients)
    joints[:, EYE_LEFT], joints[:, EYE_RIGHT] = left.mean(1), right.mean(1)
    points = np.concatenate([vertices, left, right, joints], 1)
    head = len(mesh.vertices) + 2 * len(sphere.points) + HEAD
    return points - points[:, head : head + 1]


def blend_shapes(template: np.ndarray, shapes: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Return the (n, v, 3) points of (n, b) coefficients of (b, v, 3) shapes added to a (v, 3) template."""
    flat = template.ravel() + coefficients @ shapes.reshape(len(shapes), -1)
    return flat.reshape(len(coefficients), -1, 3)


def place_eye(poles: np.ndarray, sphere: np.ndarray) -> np.ndarray:
    """Place (s, 3) points of a unit sphere between (n, 2, 3) lowest and highest points: (n, s, 3), linear in them."""
    radius = (poles[:, 1, 2] - poles[:, 0, 2])[:, None, None] / 2
    return poles.mean(1)[:, None] + radius * sphere


def to_y_up(points: np.ndarray) -> np.ndarray:
    """Turn (..., 3) points from anny's Z up, facing -Y, to Y up, facing +Z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def build_topology(mesh: SourceMesh, sphere: EyeSphere) -> dict[str, np.ndarray]:
    """Build faces, materials and texture coordinates of the head with both eyes.

    Returns:
        "faces", "face_uvs", "face_materials", "uvs" and "source_uvs" as in basis.HeadBasis.
    """
    used, inverse = np.unique(mesh.corner_uvs, return_inverse=True)
    corners = inverse.reshape(mesh.corner_uvs.shape)
    eye_uvs = layout_eye_uvs(sphere.points)
    left, right = sphere.faces, sphere.faces[:, ::-1]  # the right sphere is mirrored
    count, size = len(mesh.vertices), len(sphere.points)
    skin = np.isin(mesh.islands, (mesh.skin, mesh.throat))
    materials = [np.where(skin, SKIN, MOUTH), np.full(2 * len(sphere.faces), EYES)]
    return {
        "faces": np.concatenate([mesh.faces, left + count, right + count + size]).astype(np.int16),
        "face_uvs": np.concatenate([corners, left + len(used), right + len(used)]).astype(np.int16),
        "face_materials": np.concatenate(materials).astype(np.uint8),
        "uvs": np.concatenate([layout_uvs(mesh)[used], eye_uvs]).astype(np.float32),
        "source_uvs": np.concatenate([mesh.uvs[used], np.zeros_like(eye_uvs)]).astype(np.float32),
    }


def build_skin_weights(model: Any, mesh: SourceMesh, sphere: EyeSphere) -> dict[str, np.ndarray]:
    """Build the four largest skin weights of each vertex, the eyes' vertices last: "joint_indices", "joint_weights"."""
    size, one = len(sphere.points), np.eye(len(JOINTS))
    eyes = [one[[joint]].repeat(size, 0) for joint in (EYE_LEFT, EYE_RIGHT)]
    weights = np.concatenate([joint_weights(model)[mesh.vertices], *eyes])
    top = np.argsort(-weights, axis=1)[:, :4]
    top_weights = np.take_along_axis(weights, top, 1)
    top_weights /= top_weights.sum(1, keepdims=True)
    return {"joint_indices": top.astype(np.uint8), "joint_weights": top_weights.astype(np.float32)}


def joint_weights(model: Any) -> np.ndarray:
    """Return (v, 5) float64 skin weights of JOINTS, folding the model's bones into them; see BONE_OF_JOINT."""
    labels = list(model.bone_labels)
    parents = list(model.bone_parents)
    kept = {bone: j for j, (_, bone) in enumerate(BONE_OF_JOINT.items())}
    dense = model.dense_vertex_bone_weights.numpy()
    weights = np.zeros((len(dense), len(JOINTS)))
    for i in range(len(labels)):
        k = i
        while k >= 0 and labels[k] not in kept:
            k = int(parents[k])
        weights[:, kept[labels[k]] if k >= 0 else 0] += dense[:, i]
    return weights / weights.sum(1, keepdims=True)


def build_expressions(model: Any, mesh: SourceMesh, sphere: EyeSphere, mean: np.ndarray) -> dict[str, np.ndarray]:
    """Build the vertex offsets of the facial actions: "expressions" and "expression_names".

    Args:
        model: Anny's head model.
        mesh: Its mesh.
        sphere: Sphere of the eyes.
        mean: (p, 3) mean head in metres, Y up.
    """
    count, size = len(mesh.vertices), len(sphere.points)
    names = list(model.facial_action_labels)
    rows = [model.blendshape_labels.index(f"facial_action:{name}") for name in names]
    actions = model.blendshapes.numpy()[rows][:, mesh.vertices]
    offsets = to_y_up(np.concatenate([actions, np.zeros((len(names), 2 * size, 3))], 1))
    for k, name in enumerate(names):
        turn_eyes(offsets[k], name, mean, count, size)
    offsets[np.abs(offsets) < LEAST_OFFSET] = 0
    return {"expressions": offsets.astype(np.float16), "expression_names": np.array(names)}


def turn_eyes(delta: np.ndarray, name: str, mean: np.ndarray, count: int, size: int) -> None:
    """Write the turn of an eyeball into the offsets of an eyeLook expression, in place; others stay as they are.

    Args:
        delta: (v, 3) offsets in metres; each vertex moves along the chord of its arc.
        name: Name of the expression.
        mean: (p, 3) mean head in metres, Y up.
        count: Number of vertices before the eyes.
        size: Number of vertices of an eye.
    """
    if not name.startswith("eyeLook"):
        return
    side = 0 if name.endswith("Left") else 1
    part = slice(count + side * size, count + (side + 1) * size)
    points = mean[part] - mean[part].mean(0)
    outwards = 1.0 if side == 0 else -1.0  # +X is the head's left
    yaw = {"In": -outwards, "Out": outwards}.get(name[7:].removesuffix("Left").removesuffix("Right"), 0.0)
    pitch = {"Down": 1.0, "Up": -1.0}.get(name[7:].removesuffix("Left").removesuffix("Right"), 0.0)
    a, b = np.radians(25) * yaw, np.radians(20) * pitch
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    delta[part] = points @ (about_y @ about_x).T - points


if __name__ == "__main__":
    derive_basis(Path(__file__).parent / "data" / "head.npz")
