"""The canvas: maps of the mean head that all people of one texture size share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..basis import SKIN, load_basis
from ..texels import texel_map
from .geometry import close_curve, crease, distance_to_line, eye_rim, region
from .masks import BEARD_PARTS, MOUTH_Y, SKULL, face_masks, scalp_masks
from .noise import BANKS, FIELDS, brow_coordinates, hair_coordinates, plane_waves, transform_coordinates
from .regions import CREASES, REGIONS, STRENGTHS


@dataclass(frozen=True)
class Canvas:
    """Precomputed maps for painting at one size; t = size * size texels.

    Attributes:
        size: Texels along a side.
        points: (t, 3) float32 metres, points of the mean head.
        side: (t,) float32 metres, |x|.
        blur: (t,) float32 metres, the radius that a texel covers.
        layers: (m, t) float32 soft regions and creases in the order of STRENGTHS.
        banks: (2w, t) float32 waves by bank; those of scalp and brow hair only at the texels there.
        masks: (t,) float32 by name; those of scalp_masks only at the scalp's texels.
        mole_places: (p, 3) float32 metres, where a mole can be.
        eyes, brow, lips, scalp, beard: Indices of the texels there.
    """

    size: int
    points: np.ndarray
    side: np.ndarray
    blur: np.ndarray
    layers: np.ndarray
    banks: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    mole_places: np.ndarray
    eyes: np.ndarray
    brow: np.ndarray
    lips: np.ndarray
    scalp: np.ndarray
    beard: np.ndarray

    def layer(self, name: str) -> np.ndarray:
        """Return the (t,) soft region or crease of a name in STRENGTHS."""
        return self.layers[list(STRENGTHS).index(name)]

    def draw_noise(self, n: int, rng: np.random.Generator, names: Iterable[str] = FIELDS) -> dict[str, np.ndarray]:
        """Draw noise fields for n people.

        Args:
            n: Number of people.
            rng: Random state.
            names: Keys of FIELDS.

        Returns:
            (n, t) float32 by name, of unit variance (less where texels are too coarse for a field's wavelength).
        """
        banks = {name: self.banks[FIELDS[name]] for name in names}
        return {name: rng.standard_normal((n, len(bank)), np.float32) @ bank for name, bank in banks.items()}


@lru_cache(2)
def make_canvas(size: int) -> Canvas:
    """Build the canvas of a size: a second or two; 20 MB at 128 px, sixteen times that at 512 px."""
    basis = load_basis()
    mean = basis.mean[: basis.vertex_count]
    points = texel_map(size).interpolate(mean).reshape(-1, 3)
    steps = texel_steps(size)
    blur = np.clip(0.5 * np.sqrt((steps**2).sum(1)).max(0), 1e-5, 0.01).astype(np.float32)
    side = np.abs(points[:, 0])
    mirrored = np.column_stack([side, points[:, 1:]])
    masks = face_masks(mirrored, blur)
    maps = {name: region(mirrored, *shape) for name, shape in REGIONS.items()}
    maps |= {name: crease(mirrored, blur, *shape) for name, shape in CREASES.items()}
    maps["eye rim"] = masks.pop("eye rim")
    rng = np.random.default_rng(20)
    banks = {name: plane_waves(points, steps, length, count, rng) for name, (length, count) in BANKS.items()}
    angle = np.degrees(np.arctan2(side, points[:, 2] - SKULL[2]))
    scalp = np.flatnonzero(masks["scalp"] > 0)
    masks |= scalp_masks(mirrored[scalp], angle[scalp])
    along_hair = transform_coordinates(points[scalp], steps[:, :, scalp], hair_coordinates)
    banks["strands"] = plane_waves(*along_hair, 0.005, 40, rng)
    z, y = points[:, 2], points[:, 1]
    brow = np.flatnonzero((side < 0.066) & (abs(y - 0.167) < 0.018) & (z > 0.07))
    along_brow = transform_coordinates(points[brow], steps[:, :, brow], brow_coordinates)
    banks["brow strands"] = plane_waves(*along_brow, 0.0030, 32, rng)
    masks = {name: mask.astype(np.float32) for name, mask in masks.items()}
    return Canvas(
        size=size, points=points, side=side, blur=blur, banks=banks, masks=masks, mole_places=mole_places(),
        layers=np.stack([maps[name] for name in STRENGTHS]).astype(np.float32),
        brow=brow, scalp=scalp, eyes=np.flatnonzero(masks.pop("round eyes")),
        lips=np.flatnonzero((side < 0.032) & (abs(y - MOUTH_Y) < 0.020) & (z > 0.115)),
        beard=np.flatnonzero(np.max([masks[name] for name in BEARD_PARTS], axis=0) > 0.01),
    )  # fmt: skip


def texel_steps(size: int) -> np.ndarray:
    """Measure how far the mean head's point moves from one texel to the next.

    Args:
        size: Texels along a side of the texture.

    Returns:
        (2, 3, t) float32 metres: one texel to the right, one texel down.
    """
    basis, texels = load_basis(), texel_map(size)
    corners, uvs = basis.mean[texels.vertices], basis.uvs[texels.uvs] * size
    edges = corners[:, 1:] - corners[:, :1]
    uv_edges = uvs[:, 1:] - uvs[:, :1]
    area = uv_edges[:, 0, 0] * uv_edges[:, 1, 1] - uv_edges[:, 0, 1] * uv_edges[:, 1, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    right = (edges[:, 0] * uv_edges[:, 1, 1, None] - edges[:, 1] * uv_edges[:, 0, 1, None]) / area[:, None]
    down = (edges[:, 1] * uv_edges[:, 0, 0, None] - edges[:, 0] * uv_edges[:, 1, 0, None]) / area[:, None]
    return np.stack([right.T, down.T]).clip(-0.05, 0.05).astype(np.float32)


def mole_places() -> np.ndarray:
    """Return (p, 3) points where a mole can be: vertices of face and neck, thinned out to an even spread."""
    basis = load_basis()
    points = basis.mean[np.unique(basis.faces[basis.face_materials == SKIN])]
    rim = np.array(close_curve(eye_rim()))
    mirrored = np.column_stack([np.abs(points[:, 0]), points[:, 1:]])
    free = (distance_to_line(mirrored, rim) > 0.006) & (points[:, 2] > 0.03) & (points[:, 1] > 0.01)
    cells = np.unique((points[free] / 0.008).astype(int), axis=0, return_index=True)[1]
    return points[free][cells]
