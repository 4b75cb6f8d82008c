"""Training samples of painted materials, whose latents are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from .materials import CLASSES
from .painter import Z_DIM, draw_sliders, paint_material
from .samples import SIGNALS, condition_values, empty_samples, encode_map
from .spatial_noise import Pattern, pattern_noise, pattern_of, rounded_scale


def make_painted_samples(count: int, size: int, seed: int, report: Callable[[int], None]) -> dict[str, NDArray]:
    """Paint samples, the same number of each class of materials.

    Args:
        count: Number of samples.
        size: Texels along a side.
        seed: Seed of sliders, latents and noise maps.
        report: Called with the number of samples done.

    Returns:
        Arrays as of samples.empty_samples.
    """
    samples = empty_samples(count, size)
    for i in range(count):
        rng = np.random.default_rng([seed, 1, i])
        material = CLASSES[i % len(CLASSES)]
        sliders, z = round_scale(draw_sliders(material, rng), size), rng.normal(size=Z_DIM).astype(np.float32)
        noise_seed = int(rng.integers(0, 2**62))
        row = np.array(condition_values(material, sliders), np.float32)
        maps = paint_material(material, sliders, z, pattern_noise(noise_seed, pattern_of(row), (size, size)))
        for name in SIGNALS:
            samples[name][i] = encode_map(name, getattr(maps, name))
        samples["conditions"][i], samples["latents"][i], samples["noise_seeds"][i] = row, z, noise_seed
        if i % 32 == 31 or i + 1 == count:
            report(i + 1)
    return samples


def round_scale(sliders: Mapping[str, float], size: int) -> dict[str, float]:
    """Replace the scale by the one at which whole units fit a map of size x size texels.

    The aspect stays, though the map cuts wide units short: the networks don't see it, and larger maps need it.
    """
    pattern = Pattern(sliders["scale"], sliders["aspect"], sliders["stagger"])
    return {**sliders, "scale": rounded_scale(pattern, (size, size))}
