"""Training samples of real material sets: whole tiles where they fit, and crops."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .materials import CLASSES, LOOKS
from .painter import draw_sliders
from .samples import condition_values, empty_samples, encode_map
from .sets import MaterialSet

FloatArray = NDArray[np.float32]

# Share of the samples of a tiling set that show all of it, if its size is a multiple of a sample's.
WHOLE_SHARE = 0.4
# Root mean square slope that counts as relief 1.
FULL_RELIEF_SLOPE = 0.6


def make_real_samples(
    sets: Sequence[MaterialSet], count: int, size: int, rng: np.random.Generator, report: Callable[[int], None]
) -> dict[str, NDArray]:
    """Cut samples out of material sets, the same number from each set.

    The latents and the pattern's structure are unknown, so a mask hides the noise map from the discriminator.

    Args:
        sets: Material sets.
        count: Number of samples.
        size: Texels along a side.
        rng: Random state.
        report: Called with the number of samples done.

    Returns:
        Arrays as of samples.empty_samples.
    """
    samples = empty_samples(count, size)
    samples["noise_seeds"][:] = rng.integers(0, 2**62, count)
    samples["masks"][:, -1] = 0
    for i in range(count):
        source = sets[i % len(sets)]
        maps, samples["tiles"][i] = crop_set(source, size, rng)
        for name in maps:
            samples[name][i] = encode_map(name, maps[name])
        present = (source.height is not None, source.roughness is not None, source.metallic is not None)
        samples["masks"][i, :3] = present
        samples["conditions"][i] = estimate_conditions(source, maps, rng)
        if i % 32 == 31 or i + 1 == count:
            report(i + 1)
    return samples


def crop_set(source: MaterialSet, size: int, rng: np.random.Generator) -> tuple[dict[str, FloatArray], bool]:
    """Cut a random part of a set, flipped at random.

    Args:
        source: Material set.
        size: Texels along a side of the part.
        rng: Random state.

    Returns:
        (channels, size, size) maps by name, and whether they tile.
    """
    factor, is_whole = draw_factor(source, size, rng)
    maps = reduce_maps(to_float_maps(source), factor)
    if is_whole:
        return flip_maps(maps, rng), True
    maps = {name: enlarge_map(name, values, size) for name, values in maps.items()}
    rows, columns = maps["albedo"].shape[1:]
    top, left = int(rng.integers(0, rows - size + 1)), int(rng.integers(0, columns - size + 1))
    cut = {name: values[:, top : top + size, left : left + size] for name, values in maps.items()}
    return flip_maps(cut, rng), False


def draw_factor(source: MaterialSet, size: int, rng: np.random.Generator) -> tuple[int, bool]:
    """Draw how many texels of a set along a side become one texel of a sample, and whether the sample shows all of it.

    Args:
        source: Material set.
        size: Texels along a side of the sample.
        rng: Random state.
    """
    rows, columns = source.albedo.shape[:2]
    shorter = min(rows, columns)
    if source.tiles and rows == columns and shorter % size == 0 and rng.random() < WHOLE_SHARE:
        return shorter // size, True
    factor = int(rng.integers(1, max(shorter // size, 1) + 1)) if shorter >= 2 * size else 1
    return min(factor, 2), False


def to_float_maps(source: MaterialSet) -> dict[str, FloatArray]:
    """Convert the maps that a set has to (channels, h, w): colours and shares in [0, 1], height in texels."""
    maps = {"albedo": source.albedo.transpose(2, 0, 1) * np.float32(1 / 255)}
    if source.height is not None:
        maps["height"] = source.height[None]
    for name in ("roughness", "metallic"):
        plane = getattr(source, name)
        if plane is not None:
            maps[name] = plane[None] * np.float32(1 / 255)
    return maps


def reduce_maps(maps: dict[str, FloatArray], factor: int) -> dict[str, FloatArray]:
    """Average maps over factor x factor texels; heights are in the new, larger texels."""
    if factor == 1:
        return maps
    out = {}
    for name, values in maps.items():
        channels, rows, columns = values.shape
        rows, columns = rows // factor, columns // factor
        blocks = values[:, : rows * factor, : columns * factor].reshape(channels, rows, factor, columns, factor)
        out[name] = blocks.mean((2, 4), dtype=np.float32) / np.float32(factor if name == "height" else 1)
    return out


def enlarge_map(name: str, values: FloatArray, size: int) -> FloatArray:
    """Enlarge a map linearly until its shorter side is the size; heights are in the new, smaller texels."""
    from scipy.ndimage import zoom

    factor = size / min(values.shape[1:])
    if factor <= 1:
        return values
    larger = np.asarray(zoom(values, (1, factor, factor), order=1, mode="nearest", grid_mode=True))
    return np.multiply(larger, factor if name == "height" else 1, dtype=np.float32)


def flip_maps(maps: dict[str, FloatArray], rng: np.random.Generator) -> dict[str, FloatArray]:
    """Mirror maps along each axis at random; slopes follow the height, so nothing else needs to be turned."""
    steps = rng.choice([1, -1], 2)
    return {name: values[:, :: steps[0], :: steps[1]] for name, values in maps.items()}


def estimate_conditions(source: MaterialSet, maps: dict[str, FloatArray], rng: np.random.Generator) -> list[float]:
    """Estimate the conditions of a crop: measured where possible, else drawn for the class of material.

    Args:
        source: Set that the crop was cut from.
        maps: Maps of the crop.
        rng: Random state.

    Returns:
        A row of conditions.
    """
    material = source.material or CLASSES[int(rng.integers(len(CLASSES)))]
    sliders = draw_sliders(material, rng)
    hue, lightness, saturation = colorsys.rgb_to_hls(*(float(v) for v in maps["albedo"].mean((1, 2))))
    sliders |= {"hue": hue, "lightness": lightness, "saturation": saturation}
    if "roughness" in maps:
        sliders["roughness"] = float(maps["roughness"].mean())
    if "height" in maps:
        height = maps["height"][0]
        steepness = np.sqrt(np.mean(np.diff(height, axis=0) ** 2) + np.mean(np.diff(height, axis=1) ** 2))
        sliders["relief"] = float(min(steepness / FULL_RELIEF_SLOPE, 1.0))
    return condition_values([source.material] if source.material else CLASSES, LOOKS[1], sliders)
