"""Small random meshes for property tests: everything that the asset classes allow, folded faces included."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.provenance import Provenance


@st.composite
def random_meshes(draw: st.DrawFn, rigged: bool | None = None, morphed: bool | None = None) -> Mesh:
    """Draw a mesh of 4 to 12 vertices and 1 to 3 materials, with or without rig and morph targets.

    Args:
        draw: hypothesis' function.
        rigged: whether the mesh has joints; drawn if None.
        morphed: whether the mesh has morph targets; drawn if None.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    v, f, t = draw(st.integers(4, 12)), draw(st.integers(1, 8)), draw(st.integers(1, 9))
    joints = draw(st.integers(1, 4)) if (draw(st.booleans()) if rigged is None else rigged) else 0
    morphs = draw(st.integers(1, 3)) if (draw(st.booleans()) if morphed is None else morphed) else 0
    materials = tuple(random_material(f"part {k}", rng) for k in range(draw(st.integers(1, 3))))
    faces = np.stack([rng.choice(v, 4, replace=False) for _ in range(f)])
    if draw(st.booleans()):
        faces[:, 3] = faces[:, 2]  # triangles: quads that repeat a vertex
    topology = Topology(
        faces=faces.astype(np.int32),
        face_uvs=rng.integers(0, t, (f, 4)).astype(np.int32),
        face_materials=rng.integers(0, len(materials), f).astype(np.int32),
        uvs=rng.random((t, 2), dtype=np.float32),
        vertex_count=v,
        joint_names=tuple(f"joint {j}" for j in range(joints)),
        joint_parents=tuple(int(rng.integers(-1, j)) if j else -1 for j in range(joints)),
        skin_joints=rng.integers(0, joints, (v, 4)).astype(np.int32) if joints else None,
        skin_weights=random_weights(v, rng) if joints else None,
        morph_names=tuple(f"morph {m}" for m in range(morphs)),
        morph_offsets=random_offsets(morphs, v, rng) if morphs else None,
    )
    normals = rng.normal(size=(v, 3))
    return Mesh(
        name="thing",
        topology=topology,
        positions=rng.normal(size=(v, 3)).astype(np.float32),
        normals=(normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        joints=rng.normal(size=(joints, 3)).astype(np.float32),
        materials=materials,
        provenance=Provenance(generator="things 1.0", seed=int(rng.integers(2**63)), sliders={"size": 0.5}),
    )


def random_material(name: str, rng: np.random.Generator) -> Material:
    """Make a material with or without each texture."""
    h, w = rng.integers(1, 7, 2)
    return Material(
        name,
        base_colour=(float(rng.random()), float(rng.random()), float(rng.random())),
        albedo=rng.integers(0, 256, (h, w, 3), np.uint8) if rng.random() < 0.5 else None,
        roughness=float(rng.random()),
        roughness_map=rng.integers(0, 256, (h, w), np.uint8) if rng.random() < 0.5 else None,
    )


def random_weights(v: int, rng: np.random.Generator) -> np.ndarray:
    """Make (v, 4) float32 skin weights, many of them 0."""
    weights = rng.random((v, 4)) * (rng.random((v, 4)) < 0.6)
    weights[:, 0] += 1e-3
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def random_offsets(m: int, v: int, rng: np.random.Generator) -> np.ndarray:
    """Make (m, v, 3) float32 offsets; some targets move nothing."""
    moves = rng.random((m, v, 1)) < rng.choice([0.0, 0.4, 1.0], (m, 1, 1))
    return (rng.normal(size=(m, v, 3)) * moves).astype(np.float32)
