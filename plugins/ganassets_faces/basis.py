"""The head basis: topology, rig and expressions of all heads, and the linear model of head shapes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

MATERIALS = ("skin", "mouth", "eyes")
SKIN, MOUTH, EYES = range(3)
JOINTS = ("neck", "head", "jaw", "eyeLeft", "eyeRight")
JOINT_PARENTS = (-1, 0, 1, 1, 1)
# The front of the neck, a UV island of its own, lies below this v of the texture.
NECK_STRIP = 0.94


@dataclass(frozen=True)
class HeadBasis:
    """Package data of the plugin, in metres, Y up, facing +Z, origin below the neck joint.

    Attributes:
        mean: (p, 3) float32 mean positions; p = vertices, then the 5 joints.
        components: (k, p, 3) float32 principal components times their standard deviation.
        faces: (f, 4) int32 vertex indices of quads, wound outwards.
        face_uvs: (f, 4) int32 indices into uvs.
        face_materials: (f,) uint8 indices into MATERIALS.
        uvs: (t, 2) float32 texture coordinates, origin upper left.
        source_uvs: (t, 2) float32 MakeHuman body texture coordinates, origin lower left.
        joint_indices, joint_weights: (v, 4) uint8 and float32 skin weights; rows sum to 1.
        expressions: (e, v, 3) float32 vertex offsets in metres.
        expression_names: ARKit's names.
        sample_attributes: (s, 7) float32 age (years), sex, weight, african, asian, european, skin tone.
        sample_shapes: (s, k) float32 shape coefficients (unit variance) of the sampled heads.
        digest: SHA-256 of the file.
    """

    mean: np.ndarray
    components: np.ndarray
    faces: np.ndarray
    face_uvs: np.ndarray
    face_materials: np.ndarray
    uvs: np.ndarray
    source_uvs: np.ndarray
    joint_indices: np.ndarray
    joint_weights: np.ndarray
    expressions: np.ndarray
    expression_names: tuple[str, ...]
    sample_attributes: np.ndarray
    sample_shapes: np.ndarray
    digest: str

    @property
    def vertex_count(self) -> int:
        """Number of vertices v; mean and components hold the joints after them."""
        return len(self.joint_indices)

    def points(self, shapes: np.ndarray) -> np.ndarray:
        """Return the (n, p, 3) float32 positions in metres of (n, k) shape coefficients."""
        return self.mean + np.tensordot(shapes, self.components, 1)


def basis_digest() -> str:
    """Return the SHA-256 of the package data."""
    return hashlib.sha256(_read_package_data()).hexdigest()


def static_digests() -> dict[str, str]:
    """Return the digests of package data that models depend on, by name."""
    return {"head": basis_digest()}


def _read_package_data() -> bytes:
    return (files("ganassets_faces") / "data" / "head.npz").read_bytes()


@lru_cache(1)
def load_basis() -> HeadBasis:
    """Load the basis that ships with the plugin."""
    raw = _read_package_data()
    with np.load(io.BytesIO(raw), allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    names = tuple(str(n) for n in arrays.pop("expression_names"))
    for name, array in arrays.items():
        if array.dtype == np.float16:
            arrays[name] = array.astype(np.float32)
        elif array.dtype == np.int16:
            arrays[name] = array.astype(np.int32)
        arrays[name].setflags(write=False)
    return HeadBasis(**arrays, expression_names=names, digest=hashlib.sha256(raw).hexdigest())
