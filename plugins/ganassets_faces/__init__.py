"""Faces: rigged heads with UV textures. Importing this needs the standard library and ganassets.api.spec alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ganassets.api.spec import API_VERSION, Condition, DataOption, GeneratorSpec, Output, Preset, Target

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from PIL.Image import Image

    from ganassets.api.assets import Mesh, Provenance
    from ganassets.api.data import TrainingData
    from ganassets.api.manifest import Manifest


def _dataset(preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]) -> TrainingData:
    from .dataset import head_data

    return head_data(preset, options, seed, report)


def _domain(preset: Preset, fit: Any) -> Any:
    from .domain import FacesDomain

    return FacesDomain(preset, fit)


def _decode(
    arrays: Mapping[str, np.ndarray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Any]:
    from .decode import decode_heads

    del manifest, settings  # nothing in them changes a head
    return decode_heads(arrays, names, provenances)


def _preview(assets: Sequence[Mesh]) -> Image:
    from .preview import contact_sheet

    return contact_sheet(assets)


def _target(path: Path) -> Target:
    from .target import skin_target

    return skin_target(path)


def _static_digests() -> dict[str, str]:
    from .basis import basis_digest

    return {"head": basis_digest()}


QUICK = Preset(
    "quick",
    "128 px skins, networks at 64 px: about 6 minutes on two cores.",
    size=128,
    network_size=64,
    samples=2048,
    kimg=20,
    components=128,
    clusters=64,
    width=16,
    z_dim=208,
    gamma=200.0,
    learning_rate=4e-4,
)
SMALL = replace(
    QUICK,
    name="small",
    summary="256 px skins, networks at 64 px: about 2 hours on two cores.",
    size=256,
    basis_size=128,
    samples=8192,
    kimg=160,
    clusters=128,
    width=24,
    regression=0.6,
    regression_weight=1.0,
    regression_rate=7e-4,
    paired=0.5,
)

SPEC = GeneratorSpec(
    name="faces",
    summary="Rigged human heads with skin textures, eyes and 52 expressions.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="mesh",
    outputs=(
        Output("positions", ("vertex", "xyz"), "m", -1.0, 1.0),
        Output("joints", ("joint", "xyz"), "m", -1.0, 1.0),
        Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),
    ),
    conditions=(
        Condition("age", "Age of the person.", 8.0, 85.0, "years"),
        Condition("sex", "0 is a woman, 1 is a man."),
        Condition("weight", "0 is thin, 1 is heavy."),
        Condition("ancestry", "Where the features come from.", choices=("african", "asian", "european")),
        Condition("skin_tone", "0 is the lightest skin, 1 the darkest."),
    ),
    wraps=(False, False),
    presets=(
        QUICK,
        SMALL,
        replace(
            SMALL,
            name="base",
            summary="256 px skins, networks at 128 px: a GPU, or some nights on a CPU.",
            network_size=128,
            kimg=400,
        ),
        replace(
            SMALL,
            name="large",
            summary="256 px all through: for a GPU.",
            network_size=256,
            kimg=1500,
            max_width=256,
        ),
    ),
    data_options=(DataOption("skins", "Folder of real skin textures in MakeHuman's body layout (PNG or JPEG)."),),
    dataset=_dataset,
    target=_target,
    domain=_domain,
    decode=_decode,
    preview=_preview,
    static_digests=_static_digests,
)
