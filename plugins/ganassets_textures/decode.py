"""Decode model outputs into texture sets; normal and occlusion are computed from the height. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import TextureSet
from ganassets.api.provenance import Provenance

from .exemplars.noise import Exemplars
from .materials import CLASSES, MATERIAL_CLASSES

if TYPE_CHECKING:
    from ganassets.api.manifest import Manifest

FloatArray = NDArray[np.float32]

# Distances in texels and directions (columns, rows) at which ambient occlusion looks for higher points.
REACHES = (1, 2, 4, 8, 16)
DIRECTIONS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


def decode_materials(
    arrays: Mapping[str, np.ndarray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    _settings: object,
) -> list[TextureSet]:
    """Decode texture sets.

    Args:
        arrays: "albedo" (n, 3, h, w), "roughness" and "metallic" (n, 1, h, w) in [0, 1], "height" (n, 1, h, w) in
            metres.
        manifest: Manifest of the model, whose arrays tell the size of exemplars.
        names: Names of the sets.
        provenances: Provenance of each set.
    """
    return [
        texture_set({key: values[i] for key, values in arrays.items()}, name, provenances[i], manifest.arrays)
        for i, name in enumerate(names)
    ]


def texture_set(
    maps: Mapping[str, FloatArray], name: str, provenance: Provenance, carried: Mapping[str, NDArray[Any]]
) -> TextureSet:
    """Build one texture set of (channels, h, w) maps, by a model that carries these arrays."""
    height = np.ascontiguousarray(maps["height"][0])
    sliders = provenance.sliders
    if carried:
        texel = Exemplars(carried).texel_size(np.array(list(sliders.values()), np.float32))
    else:
        texel = texel_size(sliders)
    in_texels = height * np.float32(1 / texel)
    return TextureSet(
        name=name,
        albedo=np.ascontiguousarray(maps["albedo"].transpose(1, 2, 0)),
        height=height,
        normal=slope_normals(wrapped_slopes(in_texels)),
        roughness=np.ascontiguousarray(maps["roughness"][0]),
        metallic=np.ascontiguousarray(maps["metallic"][0]),
        occlusion=occlusion(in_texels),
        texel_size=texel,
        provenance=provenance,
    )


def texel_size(sliders: Mapping[str, float]) -> float:
    """Return the width of a texel in metres: the real height of the material's unit by its height in texels."""
    logarithm = sum(np.log(MATERIAL_CLASSES[name].unit_height) * sliders[f"material:{name}"] for name in CLASSES)
    return float(np.exp(logarithm) / sliders["scale"])


def wrapped_slopes(height: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the (h, w) slopes to the right and down of a wrapping height in texels, by central differences."""
    right = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * 0.5
    down = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * 0.5
    return right, down


def slope_normals(slopes: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return the (h, w, 3) unit normals, +Y up, of slopes to the right and down."""
    right, down = slopes
    length = np.sqrt(1 + right * right + down * down)
    return np.divide(np.stack([-right, down, np.ones_like(right)], -1), length[..., None])


def occlusion(height: FloatArray) -> FloatArray:
    """Compute ambient occlusion of a wrapping height in texels: (h, w) share of the sky that each point sees.

    In each direction the steepest rise within reach hides the sky below its angle a. Under a sky of even brightness a
    direction then gives cos^2 a of its light (horizon-based occlusion, Max 1988, "Horizon mapping").
    """
    total = np.zeros_like(height)
    for columns, rows in DIRECTIONS:
        step = float(np.hypot(columns, rows))
        steepest = np.zeros_like(height)
        for reach in REACHES:
            rise = np.roll(height, (-reach * rows, -reach * columns), (0, 1))
            rise -= height
            rise *= np.float32(1 / (reach * step))
            np.maximum(steepest, rise, out=steepest)
        # cos^2 of the angle whose tangent is the rise
        total += 1 / (1 + steepest * steepest)
    return total / np.float32(len(DIRECTIONS))
