"""Material samples by methods that need no network: image quilting, and the set itself tiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData
from ganassets.api.spec import Preset
from ganassets.training.evaluation.quilting import Quilter

from .exemplars.cells import HEIGHT_UNIT
from .exemplars.samples import condition_rows, encode_maps, read_exemplar_maps

FloatArray = NDArray[np.float32]
# Makes (6, size, size) maps of an example.
Method = Callable[["Example", np.random.Generator], FloatArray]

# Patches and overlaps of quilting, in texels, by the size of the sample.
PATCH_SHARE, OVERLAP_SHARE = 1 / 4, 1 / 16
LEAST_PATCH, LEAST_OVERLAP = 16, 4
# Texels of height that weigh as much as the range from black to white.
HEIGHT_RANGE = 8.0
HEIGHT = 3  # channel


class Example:
    """Maps of a material set.

    Args:
        maps: (6, h, w) maps.
        size: Texels along a side of a sample.
    """

    def __init__(self, maps: FloatArray, size: int) -> None:
        self.maps, self.size = maps, size
        self.quilter: Quilter | None = None

    def quilt(self, rng: np.random.Generator) -> FloatArray:
        """Quilt all maps together, so that they stay aligned."""
        scale = np.ones((len(self.maps), 1, 1), np.float32)
        scale[HEIGHT] = HEIGHT_RANGE / HEIGHT_UNIT
        if self.quilter is None:
            patch = max(int(self.size * PATCH_SHARE), LEAST_PATCH)
            overlap = max(int(self.size * OVERLAP_SHARE), LEAST_OVERLAP)
            weighted = np.ascontiguousarray((self.maps / scale).transpose(1, 2, 0))
            self.quilter = Quilter(weighted, patch, overlap)
        return self.quilter(self.size, rng).transpose(2, 0, 1) * scale

    def tile(self, rng: np.random.Generator) -> FloatArray:
        """Repeat the maps side by side, and cut a sample out at a random place."""
        rows, columns = self.maps.shape[1:]
        down = (int(rng.integers(rows)) + np.arange(self.size)) % rows
        across = (int(rng.integers(columns)) + np.arange(self.size)) % columns
        return self.maps[:, down[:, None], across]


def material_baselines(preset: Preset, options: Mapping[str, Any], seed: int) -> dict[str, TrainingData]:
    """Make samples of the user's material sets without a network.

    Args:
        preset: Size and number of samples.
        options: "data", a folder or zip of material sets; without it there is nothing to compare.
        seed: Random seed; the same seed gives the same samples.

    Returns:
        Samples by the name of the method: "quilting" and "tiling".

    Raises:
        InputError: "data" holds no usable material set.
    """
    folder = options.get("data")
    if not folder:
        return {}
    sets = read_exemplar_maps(Path(folder))
    methods: dict[str, Method] = {"quilting": Example.quilt, "tiling": Example.tile}
    return {name: make_samples(sets, preset, method, seed) for name, method in methods.items()}


def make_samples(sets: list[FloatArray], preset: Preset, method: Method, seed: int) -> TrainingData:
    """Make preset.samples samples by a method, the same number of each set."""
    rng = np.random.default_rng([seed, 3])
    index = np.arange(preset.samples) % len(sets)
    examples = [Example(maps, preset.network_size) for maps in sets]
    samples = [encode_maps(method(examples[i], rng)) for i in index]
    return TrainingData(
        signals={name: np.stack([sample[name] for sample in samples]) for name in samples[0]},
        vectors={},
        conditions=condition_rows(index, len(sets)),
        name="material sets without a network",
        licence="as the material sets given",
        source="the user's material sets",
        tiles=np.zeros(len(index), np.bool_),
    )
