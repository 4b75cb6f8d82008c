"""Texture sets for tests: flat ones, random ones of every shape, and bricks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ganassets.api.assets import TextureSet
from ganassets.api.provenance import Provenance

PROVENANCE = Provenance(
    generator="textures 1.0",
    model_digest="ab" * 32,
    seed=7,
    truncation=0.85,
    sliders={"roughness": 0.5, "hue": 0.05},
    licence="CC0-1.0",
    software="ganassets 0.1.0",
)


def plain(
    size: tuple[int, int] = (8, 8), colour: tuple[float, float, float] = (0.5, 0.5, 0.5), **factors: float
) -> TextureSet:
    """Make a flat material of one colour; factors are roughness (1), metallic (0) and occlusion (1)."""
    values = {"roughness": 1.0, "metallic": 0.0, "occlusion": 1.0} | factors
    maps: dict[str, Any] = {name: np.full(size, value, np.float32) for name, value in values.items()}
    return TextureSet(
        name="plain",
        albedo=np.broadcast_to(np.array(colour, np.float32), (*size, 3)),
        height=np.zeros(size, np.float32),
        normal=np.broadcast_to(np.array([0, 0, 1], np.float32), (*size, 3)),
        texel_size=0.01,
        **maps,
    )


@st.composite
def random_texture_sets(draw: st.DrawFn) -> TextureSet:
    """Draw a set of 1 to 9 rows and columns with independent random texels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    normal = rng.normal(size=(*size, 3))
    maps: dict[str, Any] = {name: rng.random(size, np.float32) for name in ("roughness", "metallic", "occlusion")}
    return TextureSet(
        name="thing",
        albedo=rng.random((*size, 3), np.float32),
        height=(rng.normal(size=size) * draw(st.sampled_from([0.0, 1e-4, 0.02]))).astype(np.float32),
        normal=(normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32),
        texel_size=draw(st.sampled_from([1e-5, 0.001, 0.37])),
        tiles=draw(st.booleans()),
        provenance=PROVENANCE,
        **maps,
    )


def make_bricks(size: int = 128, metallic: float = 0.0, tilt: float = 0.0) -> TextureSet:
    """Make four courses of two bricks on 0.3 m x 0.3 m, in running bond, each brick of its own colour.

    The tile's borders cut through bricks.

    Args:
        size: Texels along both sides.
        metallic: Metallic of the bricks; the mortar's is 0.
        tilt: Brightness of the right border above that of the left one, for a set that doesn't tile.
    """
    texel = 0.3 / size
    place = (np.arange(size) + 0.5) / size
    row = place[:, None] * 4 + 0.5
    column = place[None] * 2 + np.floor(row) % 2 / 2 + 0.25
    # Metres to the nearest joint.
    across = 0.15 * (0.5 - abs(column % 1 - 0.5))
    along = 0.075 * (0.5 - abs(row % 1 - 0.5))
    rise = np.clip((np.minimum(across, along) - 0.004) / 0.005, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    waves = ((5, 9, 0.0), (-11, 7, 1.0), (17, 4, 2.0), (-6, 19, 3.0))
    grain = np.mean([np.sin(2 * np.pi * (a * place[None] + b * place[:, None]) + c) for a, b, c in waves], 0)
    height = 0.006 * rise + 0.0004 * grain
    slope_x = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / (2 * texel)
    slope_up = (np.roll(height, 1, 0) - np.roll(height, -1, 0)) / (2 * texel)
    normal = np.stack([-slope_x, -slope_up, np.ones_like(height)], -1)

    brick = np.floor(row) % 4 * 2 + np.floor(column) % 2
    shade = 0.08 * np.sin(brick * 2.4)[..., None] + 0.05 * grain[..., None]
    clay, mortar = np.array([0.62, 0.30, 0.22]), np.array([0.70, 0.68, 0.64])
    albedo = mortar + (clay + shade - mortar) * rise[..., None] + tilt * (place[None, :, None] - 0.5)
    return TextureSet(
        name="bricks",
        albedo=np.clip(albedo, 0, 1).astype(np.float32),
        height=(height - height.mean()).astype(np.float32),
        normal=(normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32),
        roughness=(0.95 - 0.35 * rise + 0.05 * grain).clip(0, 1).astype(np.float32),
        metallic=(metallic * rise).astype(np.float32),
        occlusion=(0.55 + 0.45 * rise).astype(np.float32),
        texel_size=texel,
        tiles=tilt == 0,
        provenance=PROVENANCE,
    )
