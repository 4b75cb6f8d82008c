"""Textures: tileable PBR materials of any size. Importing this needs only the standard library and ganassets.api."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Output, Preset, Target

from .materials import CONDITIONS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from PIL.Image import Image

    from ganassets.api.assets import Provenance, TextureSet
    from ganassets.api.data import TrainingData
    from ganassets.api.manifest import Manifest

MOST_HEIGHT = 0.35  # metres


def _dataset(preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]) -> TrainingData:
    from .dataset import material_data

    return material_data(preset, options, seed, report)


def _domain(preset: Preset, fit: Any) -> Any:
    from .domain import TexturesDomain

    return TexturesDomain(preset, fit)


def _noise(seed: int, row: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    from .spatial_noise import noise_map, pattern_of

    return noise_map(seed, pattern_of(row), (size[0], size[1]))


def _decode(
    arrays: Mapping[str, np.ndarray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Any]:
    from .decode import decode_materials

    del manifest, settings  # nothing in them changes a material
    return decode_materials(arrays, names, provenances)


def _preview(assets: Sequence[TextureSet]) -> Image:
    from .preview import contact_sheet

    return contact_sheet(assets)


def _measures(assets: Sequence[TextureSet]) -> dict[str, float]:
    from .measures import material_measures

    return material_measures(assets)


def _target(path: Path) -> Target:
    from .target import material_target

    return material_target(path)


def _static_digests() -> dict[str, str]:
    from .spatial_noise import noise_digest

    return {"noise": noise_digest()}


QUICK = Preset(
    "quick",
    "about 11 minutes on two cores: shapes and colours, soft grain.",
    size=64,
    network_size=64,
    samples=3072,
    kimg=36,
    width=24,
    max_width=96,
    z_dim=32,
    w_dim=64,
    batch=16,
    gamma=3.0,
    learning_rate=4e-4,
    regression=0.8,
    regression_weight=4.0,
)

SPEC = GeneratorSpec(
    name="textures",
    summary="Tileable PBR materials of any size: albedo, height, normal, roughness, metallic, occlusion.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="textures",
    outputs=(
        Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),
        Output("height", ("channel", "height", "width"), "m", -MOST_HEIGHT, MOST_HEIGHT),
        Output("roughness", ("channel", "height", "width"), "linear", 0.0, 1.0),
        Output("metallic", ("channel", "height", "width"), "linear", 0.0, 1.0),
    ),
    conditions=CONDITIONS,
    wraps=(True, True),
    presets=(
        QUICK,
        replace(QUICK, name="small", summary="about 90 minutes on two cores.", samples=8192, kimg=240, regression=0.6),
        replace(
            QUICK,
            name="base",
            summary="wider networks at 128 px: for a GPU.",
            size=128,
            network_size=128,
            samples=8192,
            kimg=1000,
            width=48,
            max_width=192,
            regression=0.3,
        ),
    ),
    data_options=(
        DataOption("data", "Folder or zip of material sets to learn from."),
        DataOption("painted", "Share of painted samples beside those of --data, 0 to 1.  [default: 0.5]"),
    ),
    dataset=_dataset,
    target=_target,
    domain=_domain,
    decode=_decode,
    preview=_preview,
    static_digests=_static_digests,
    noise=_noise,
    measures=_measures,
    exporter="images",
)
