"""Small exemplars for tests: bricks, stripes and noise, as sets in memory, as files, and as a model's arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.training.networks import LinearFit
from ganassets_textures.exemplars.noise import Exemplars
from ganassets_textures.exemplars.samples import encode_exemplars, make_exemplars
from ganassets_textures.exemplars.sliders import NEUTRAL, SLIDERS
from ganassets_textures.sets import MaterialSet
from support.material_files import save

SIZE = 64


def bricks(height: int = SIZE, width: int = SIZE, seed: int = 0) -> MaterialSet:
    """Return a wall that tiles: courses of 8 texels, bricks of 16, each of its own colour, with deep joints."""
    row, column = np.mgrid[:height, :width]
    shifted = (column + row // 8 % 2 * 8) % width
    shade = np.random.default_rng(seed).integers(-20, 20, (height // 8 + 1, width // 16 + 1))[row // 8, shifted // 16]
    joint = (row % 8 == 0) | (shifted % 16 == 0)
    red = np.where(joint, 190, 140 + shade)
    albedo = np.stack([red, np.where(joint, 185, 70 + shade), np.where(joint, 180, 50 + shade)], -1).astype(np.uint8)
    relief = np.where(joint, -1.5, 0.5).astype(np.float32)
    roughness = np.where(joint, 230, 150).astype(np.uint8)
    return MaterialSet("brick", "brick", albedo, relief, roughness, np.zeros((height, width), np.uint8), True)


def stripes(height: int = SIZE, width: int = SIZE, tiles: bool = False) -> MaterialSet:
    """Return planks of a colour that grows to the right, without further maps; they don't tile."""
    row, column = np.mgrid[:height, :width]
    value = 90 + 60 * column / width + np.where(row % 16 < 2, -50, 0)
    albedo = np.stack([value, value * 0.7, value * 0.4], -1).astype(np.uint8)
    return MaterialSet("planks", None, albedo, None, None, None, tiles)


def noise(height: int = SIZE, width: int = SIZE, seed: int = 0, tiles: bool = True) -> MaterialSet:
    """Return independent grey texels with a rough height."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(40, 200, (height, width, 1)).repeat(3, 2).astype(np.uint8)
    relief = rng.normal(0, 0.3, (height, width)).astype(np.float32)
    return MaterialSet("gravel", "gravel", grey, relief, grey[..., 0], None, tiles)


def model_arrays(*sets: MaterialSet) -> dict[str, NDArray[Any]]:
    """Return the arrays of a domain on these sets; a model file carries some of them."""
    return encode_exemplars(make_exemplars(sets))


def make_exemplars_of(*sets: MaterialSet) -> Exemplars:
    """Return the exemplars as a model file carries them."""
    return Exemplars(model_arrays(*sets))


def condition_row(*shares: float, **sliders: float) -> NDArray[np.float32]:
    """Return a row of conditions: materials' shares, and sliders that are neutral where they aren't given."""
    values = dict(zip(SLIDERS, NEUTRAL, strict=True)) | sliders
    return np.array([*shares, *values.values()], np.float32)


def make_fit(*sets: MaterialSet) -> LinearFit:
    """Return what a run knows of the sets before it trains."""
    width = len(sets) + len(NEUTRAL)
    nothing = np.zeros((0, 0), np.float32)
    return LinearFit(
        means={},
        bases={},
        vectors={},
        condition_mean=np.zeros(width, np.float32),
        condition_std=np.ones(width, np.float32),
        offset=np.zeros(0, np.float32),
        from_latent=nothing,
        from_condition=nothing,
        constants=model_arrays(*sets),
    )


def write_set(folder: Path, source: MaterialSet) -> None:
    """Write the maps of a set as files, as libraries of materials name them."""
    save(folder / f"{source.name}_Color.png", source.albedo)
    if source.height is not None:
        save(folder / f"{source.name}_Height.png", np.rint(127 + 40 * source.height).clip(0, 255).astype(np.uint8))
    if source.roughness is not None:
        save(folder / f"{source.name}_Roughness.png", source.roughness)


def write_two_sets(folder: Path) -> Path:
    """Write bricks with height and roughness, and planks without; returns the folder."""
    write_set(folder, bricks())
    write_set(folder, stripes())
    return folder
