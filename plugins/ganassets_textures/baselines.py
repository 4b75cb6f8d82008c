"""Material samples by methods that need no network: image quilting, and the set itself tiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData
from ganassets.api.spec import Preset
from ganassets.training.evaluation.quilting import Quilter

from .dataset import parse_painted_share
from .real_samples import draw_factor, enlarge_map, estimate_conditions, flip_maps, reduce_maps, to_float_maps
from .samples import SIGNALS, empty_samples, encode_map
from .sets import MaterialSet, read_sets

FloatArray = NDArray[np.float32]
# Makes (channels, size, size) maps of an example.
Method = Callable[["Example", np.random.Generator], dict[str, FloatArray]]

# Patches and overlaps of quilting, in texels, by the size of the sample.
PATCH_SHARE, OVERLAP_SHARE = 1 / 4, 1 / 16
LEAST_PATCH, LEAST_OVERLAP = 16, 4
# Side of the part of a set that a sample is quilted from, at most, by the side of the sample; larger ones take long.
MOST_SIZES = 3
# Texels of height that weigh as much as the range from black to white.
HEIGHT_RANGE = 8.0


class Example:
    """Maps of a material set at the scale of the samples.

    Args:
        source: The set.
        factor: How often its texels are reduced.
        size: Texels along a side of a sample.
    """

    def __init__(self, source: MaterialSet, factor: int, size: int) -> None:
        maps = reduce_maps(to_float_maps(source), factor)
        self.size = size
        self.maps = {name: enlarge_map(name, values, size) for name, values in maps.items()}

    def quilt(self, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Quilt all maps together, so that they stay aligned, from a random part of them."""
        scales = {name: HEIGHT_RANGE if name == "height" else 1.0 for name in self.maps}
        stacked = np.concatenate([values / np.float32(scales[name]) for name, values in self.maps.items()])
        sides = [min(side, MOST_SIZES * self.size) for side in stacked.shape[1:]]
        top, left = (
            int(rng.integers(0, all_of - side + 1)) for all_of, side in zip(stacked.shape[1:], sides, strict=True)
        )
        part = stacked[:, top : top + sides[0], left : left + sides[1]]
        patch = max(int(self.size * PATCH_SHARE), LEAST_PATCH)
        overlap = max(int(self.size * OVERLAP_SHARE), LEAST_OVERLAP)
        quilter = Quilter(np.ascontiguousarray(part.transpose(1, 2, 0)), patch, overlap)
        quilted = quilter(self.size, rng).transpose(2, 0, 1)
        ends = np.cumsum([len(values) for values in self.maps.values()])
        parts = np.split(quilted, ends[:-1])
        return {name: part * np.float32(scales[name]) for name, part in zip(self.maps, parts, strict=True)}

    def tile(self, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Repeat the maps side by side, and cut a sample out at a random place."""
        rows, columns = next(iter(self.maps.values())).shape[1:]
        down = (int(rng.integers(rows)) + np.arange(self.size)) % rows
        across = (int(rng.integers(columns)) + np.arange(self.size)) % columns
        return {name: values[:, down[:, None], across] for name, values in self.maps.items()}


def material_baselines(preset: Preset, options: Mapping[str, Any], seed: int) -> dict[str, TrainingData]:
    """Make samples of the user's material sets without a network.

    Args:
        preset: Size and number of samples.
        options: "data", a folder or zip of material sets, and "painted", the share of painted samples beside them.
            Without a folder, and with painted samples, there is nothing to compare.
        seed: Random seed; the same seed gives the same samples.

    Returns:
        Samples by the name of the method: "quilting" and "tiling".

    Raises:
        InputError: "data" holds no usable material set.
    """
    folder = options.get("data")
    if not folder or parse_painted_share(options.get("painted"), data=True):
        return {}  # painted samples among the data would not be the same comparison
    sets = read_sets(Path(folder))[0]
    methods: dict[str, Method] = {"quilting": Example.quilt, "tiling": Example.tile}
    return {name: make_samples(sets, preset, method, seed) for name, method in methods.items()}


def make_samples(sets: Sequence[MaterialSet], preset: Preset, method: Method, seed: int) -> TrainingData:
    """Make preset.samples samples by a method, the same number of each set, at the scales of training samples."""
    rng = np.random.default_rng([seed, 3])
    size, count = preset.network_size, preset.samples
    samples = empty_samples(count, size)
    samples["masks"][:, -1] = 0
    samples["tiles"][:] = False
    examples: dict[tuple[int, int], Example] = {}
    for i in range(count):
        number = i % len(sets)
        source = sets[number]
        factor, _ = draw_factor(source, size, rng)
        key = number, factor
        if key not in examples:
            examples[key] = Example(source, factor, size)
        maps = flip_maps(method(examples[key], rng), rng)
        for name, values in maps.items():
            samples[name][i] = encode_map(name, values.clip(0, 1) if name != "height" else values)
        samples["masks"][i, :3] = (source.height is not None, source.roughness is not None, source.metallic is not None)
        samples["conditions"][i] = estimate_conditions(source, maps, rng)
    return TrainingData(
        signals={name: samples[name] for name in SIGNALS},
        vectors={},
        conditions=samples["conditions"],
        name="material sets without a network",
        licence="as the material sets given",
        source="the user's material sets",
        masks=samples["masks"],
        tiles=samples["tiles"],
    )
