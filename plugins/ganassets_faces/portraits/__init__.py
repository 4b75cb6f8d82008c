"""Portraits: pictures like the user's own. Importing this needs the standard library and ganassets.api.spec alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Output, Preset, Target

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from PIL.Image import Image

    from ganassets.api.assets import Picture, Provenance
    from ganassets.api.data import TrainingData
    from ganassets.api.manifest import Manifest


def _dataset(preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]) -> TrainingData:
    from .dataset import picture_data

    del seed  # nothing is left to chance
    return picture_data(preset, options, report)


def _domain(preset: Preset, fit: Any) -> Any:
    from .domain import PicturesDomain

    return PicturesDomain(preset, fit)


def _decode(
    arrays: Mapping[str, np.ndarray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Any]:
    from .decode import decode_pictures

    del manifest, settings  # nothing in them changes a picture
    return decode_pictures(arrays, names, provenances)


def _preview(assets: Sequence[Picture]) -> Image:
    from .preview import contact_sheet

    return contact_sheet(assets)


def _snapshot(arrays: Mapping[str, np.ndarray], conditions: np.ndarray) -> Image:
    from .decode import to_pixels
    from .preview import grid

    del conditions
    return grid(to_pixels(arrays["picture"]))


def _target(path: Path) -> Target:
    from .target import picture_target

    return picture_target(path)


QUICK = Preset(
    "quick",
    "64 px: about 6 minutes on two cores.",
    size=64,
    network_size=64,
    kimg=20,
    components=64,
    width=16,
    z_dim=64,
    batch=8,
    gamma=300.0,
    learning_rate=4e-4,
    augmentation=0.3,
)

SPEC = GeneratorSpec(
    name="portraits",
    summary="Pictures like your own: portraits, sprites, icons.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="picture",
    outputs=(Output("picture", ("channel", "height", "width"), "sRGB", 0.0, 1.0),),
    conditions=(),  # labels are known with the data
    wraps=(False, False),
    presets=(
        QUICK,
        replace(QUICK, name="small", summary="128 px: about 2 hours on two cores.", size=128, kimg=200, width=24),
        replace(
            QUICK,
            name="base",
            summary="256 px: a GPU, or some nights on a CPU.",
            size=256,
            basis_size=128,
            network_size=128,
            kimg=400,
            width=24,
        ),
        replace(
            QUICK,
            name="large",
            summary="512 px: for a GPU.",
            size=512,
            basis_size=128,
            network_size=256,
            kimg=1500,
            max_width=256,
        ),
    ),
    data_options=(
        DataOption("data", "Folder or zip of pictures to learn from; folders in it become labels."),
        DataOption("crop", "How pictures become square: auto, centre, stretch or pad.  [default: auto]"),
        DataOption("mirror", "Whether pictures are also shown mirrored: yes or no.  [default: no]"),
    ),
    dataset=_dataset,
    target=_target,
    domain=_domain,
    decode=_decode,
    preview=_preview,
    snapshot=_snapshot,
    exporter="png",
)
