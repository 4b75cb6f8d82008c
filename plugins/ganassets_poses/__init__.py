"""Poses: motion clips of a humanoid. Importing this needs the standard library and ganassets.api.spec alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ganassets.api.assets import Option
from ganassets.api.spec import API_VERSION, DataOption, GeneratorSpec, Output, Preset, Target

from .actions import CONDITIONS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from PIL.Image import Image

    from ganassets.api.assets import MotionClip, Provenance
    from ganassets.api.data import TrainingData
    from ganassets.api.manifest import Manifest, NoiseInfo


def _dataset(preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]) -> TrainingData:
    from .dataset import motion_data

    return motion_data(preset, options, seed, report)


def _domain(preset: Preset, fit: Any) -> Any:
    from .domain import PosesDomain

    return PosesDomain(preset, fit)


def _noise(seed: int, row: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    from .structure import noise_map

    return noise_map(seed, row, size[0])


def _map_size(settings: Mapping[str, Any], row: np.ndarray, info: NoiseInfo) -> tuple[int, ...]:
    from .decode import steps_made, steps_wanted
    from .structure import is_loop, tempo_of

    del info  # the stride is the plugin's own
    return (steps_made(steps_wanted(settings, is_loop(row), tempo_of(row)), is_loop(row)),)


def _decode(
    arrays: Mapping[str, np.ndarray],
    manifest: Manifest,
    names: Sequence[str],
    provenances: Sequence[Provenance],
    settings: Mapping[str, Any],
) -> list[Any]:
    from .decode import decode_clips

    del manifest  # nothing in it changes a clip
    return decode_clips(arrays, names, provenances, settings)


def _preview(assets: Sequence[MotionClip]) -> Image:
    from .preview import contact_sheet

    return contact_sheet(assets)


def _animation(assets: Sequence[MotionClip]) -> bytes | None:
    from .preview import animation

    return animation(assets)


def _snapshot(arrays: Mapping[str, np.ndarray], conditions: np.ndarray) -> Image:
    from .snapshot import snapshot

    return snapshot(arrays, conditions)


def _features(arrays: Mapping[str, np.ndarray], conditions: np.ndarray) -> np.ndarray:
    from .features import window_features

    del conditions  # a window shows what it is
    return window_features(arrays)


def _measures(assets: Sequence[MotionClip]) -> dict[str, float]:
    from .measures import clip_measures

    return clip_measures(assets)


def _target(path: Path) -> Target:
    from .target import clip_target

    return clip_target(path)


def _static_digests() -> dict[str, str]:
    from .structure import noise_digest

    return {"noise": noise_digest()}


QUICK = Preset(
    "quick",
    "about 8 minutes on two cores.",
    size=64,
    network_size=64,
    samples=8192,
    kimg=60,
    width=96,
    max_width=192,
    z_dim=32,
    w_dim=96,
    batch=32,
    gamma=10.0,
    learning_rate=4e-4,
    regression=0.7,
    regression_weight=4.0,
)

SPEC = GeneratorSpec(
    name="poses",
    summary="Motion clips of a humanoid: walks, runs, jumps, punches, dances; looping or once, of any length.",
    version="0.1.0",
    api_version=API_VERSION,
    asset_kind="motion",
    outputs=(
        Output("root", ("channel", "frame"), "m/s, rad/s, m"),
        Output("rotations", ("channel", "frame"), "columns of rotation matrices", -1.0, 1.0),
        Output("contacts", ("channel", "frame"), "probability", 0.0, 1.0),
    ),
    conditions=CONDITIONS,
    wraps=(True,),
    presets=(
        QUICK,
        replace(
            QUICK, name="small", summary="about 30 minutes on two cores.", samples=16384, kimg=220, regression=0.73
        ),
        replace(
            QUICK,
            name="base",
            summary="wider networks: for a GPU.",
            samples=32768,
            kimg=2000,
            width=192,
            max_width=384,
            regression=0.5,
        ),
    ),
    data_options=(
        DataOption(
            "data", "Folder, zip or file of motion (BVH, glTF, AMC) to learn from.  [default: pybullet's clips]"
        ),
        DataOption("bones", 'JSON file that names joints: {"hips": "Pelvis", ...}, where names are not recognised.'),
    ),
    dataset=_dataset,
    target=_target,
    domain=_domain,
    decode=_decode,
    preview=_preview,
    animation=_animation,
    static_digests=_static_digests,
    noise=_noise,
    settings=(
        Option("seconds", float, 0.0, "Length; 0 is as long as it takes, of a loop two repetitions.", low=0, high=60),
        Option("fps", float, 30.0, "Frames a second.", low=1, high=240),
        Option("hold-feet", bool, True, "Keep feet that stand from sliding."),
        Option("mirror", str, "seed", "Exchange left and right; seed: of half of the seeds.", ("seed", "yes", "no")),
        Option(
            "pose", float, -1.0, "One frame alone: 0 is the first, 1 the last; -1 is the whole clip.", low=-1, high=1
        ),
    ),
    map_size=_map_size,
    snapshot=_snapshot,
    features=_features,
    measures=_measures,
    exporter="gltf",
)
