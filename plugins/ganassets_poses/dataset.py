"""Training samples: windows of recorded motion, whose latents are known from how the motions of an action vary."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData, condition_statistics
from ganassets.api.data.records import FileRecord, LeftOutError, explain_left_out, left_out
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.files import read_text
from ganassets.api.motion.retarget import find_up_axis, to_humanoid
from ganassets.api.spec import Preset

from .actions import ACTION_NAMES, ACTIONS, COLUMNS, STYLES, Action, action_from_text, find_action
from .groups import fit_groups, principal_coordinates
from .readers import LabelledTake, find_motion, suffix_of
from .segments import Segment, align_segments, find_segments
from .signals import PARTS, Signals
from .structure import FPS, MARGIN, loop_structure, single_structure

FloatArray = NDArray[np.floating]

COORDINATES = 64
MOST_BONE_BYTES = 2**20  # of a map of bones
PACES = (0.9, 1.12)  # how much slower and faster samples are played
HELD = 40  # frames before and after a single action that a window may show
MOST_NAMED = 5  # clips in a note
KNOWN = 0.5  # share of the samples whose latents are told
STYLES_OF: dict[str, str] = dict.fromkeys((".glb", ".gltf", ".vrma", ".vrm"), "game")  # other files hold recordings
SLIDERS = slice(len(ACTION_NAMES) + 1, len(COLUMNS))
DEFAULT = ("pybullet_data", "data/motions", "zlib", "the motion clips of the PyPI package pybullet")


def motion_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Windows of preset.network_size frames at 30 frames a second.

    Args:
        preset: sizes and number of samples.
        options: "data", a folder, zip or file of motion, or nothing; "bones", a JSON file of joints' names.
        seed: the same seed gives the same data.
        report: called with (done, total).
    """
    source, licence, name = choose_source(options.get("data"))
    records: list[FileRecord] = []
    segments, credits = read_segments(source, read_bone_map(options.get("bones")), records)
    if not segments:
        raise InputError(f"{source} holds no motion that can be learnt from ({explain_left_out(records)}).")
    segments = align_segments(segments)
    rng = np.random.default_rng([seed, 20])
    chances = segment_probabilities(segments)
    chosen = rng.choice(len(segments), preset.samples, p=chances)
    windows = []
    for done, i in enumerate(chosen):
        windows.append(draw_window(segments[i], preset.network_size, rng))
        if done % 256 == 0:
            report(done, preset.samples)
    conditions = np.stack([one.row for one in windows])
    latents, constants = fit_latents(segments, chances, conditions, preset.z_dim)
    told = latents[chosen]
    told[rng.random(len(told)) >= KNOWN] = np.nan
    return TrainingData(
        {name: np.stack([getattr(one.signals, name) for one in windows]).astype(np.float16) for name in PARTS},
        {},
        conditions,
        name,
        licence or credits,
        str(source) if licence is None else "PyPI package pybullet, pybullet_data/data/motions",
        files=tuple(records),
        latents=told,
        tiles=np.zeros(len(told), bool),
        structure=np.stack([one.structure for one in windows]),
        constants=constants,
        notes=(summarise_segments(segments), *describe_clips(records)),
    )


def choose_source(text: str | None) -> tuple[Path, str | None, str]:
    """Where the motion is, its licence where it is the default, and what it is called."""
    if text is not None:
        return Path(text), None, Path(text).name
    module, folder, licence, name = DEFAULT
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise GanassetsError(
            "the default motion is in the package pybullet, which is not installed; install it with pip install "
            '"ganassets[train]", or give motion of your own with --data.'
        )
    return Path(found.submodule_search_locations[0]) / folder, licence, name


def read_bone_map(text: str | None) -> dict[str, str] | None:
    """Joint names of the humanoid and those of the files that stand for them, from a JSON file."""
    if text is None:
        return None
    try:
        found = json.loads(read_text(text, MOST_BONE_BYTES))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f'{text} can\'t be read as a map of bones; it holds {{"hips": "Pelvis", ...}}.') from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(f'{text} is no map of bones; it holds {{"hips": "Pelvis", ...}}.')
    return found


def read_segments(
    source: Path, bones: Mapping[str, str] | None, records: list[FileRecord]
) -> tuple[list[Segment], str]:
    """All segments of the motion in a folder, zip or file, and the licences that its manifest names.

    Args:
        source: of the folder, zip or file.
        bones: names of joints, see to_humanoid.
        records: what became of each file and clip is appended.
    """
    segments: list[Segment] = []
    licences: Counter[str] = Counter()
    for found in find_motion(source, records):
        try:
            held, record = segments_of_clip(found, bones)
        except InputError as error:
            records.append(left_out(found.file, error, clip_label(found)))
            continue
        records.append(record)
        segments += held
        licences[found.labels.licence or "licence not named"] += 1
    return segments, "; ".join(licences)


def clip_label(found: LabelledTake) -> str:
    """Name of a clip in its file, "" where the file is named like its only clip."""
    return "" if found.take.name == PurePosixPath(found.file).stem else found.take.name


def segments_of_clip(found: LabelledTake, bones: Mapping[str, str] | None) -> tuple[list[Segment], FileRecord]:
    """The segments of a clip, and what became of it.

    Raises:
        LeftOutError: it has none, or it isn't known what it shows.
        InputError: its skeleton isn't recognised.
    """
    facts, take = found.labels, found.take
    action, reason = choose_action(found)
    style = facts.style or STYLES_OF.get(suffix_of(found.file), "mocap")
    if style not in STYLES:
        raise LeftOutError(f"the style {style!r} is none of {', '.join(STYLES)}", "unknown style")
    up, why_up = (facts.up, facts.given_by) if facts.up else find_up_axis(take, bones)
    held = find_segments(to_humanoid(take, bones, name=f"{found.file}: {take.name}", up=up), action, style, facts.loops)
    if not held:
        raise LeftOutError(
            f"nothing in it shows {action.name} as it should be ({reason}; {up} is up: {why_up})", "not as it should be"
        )
    repeated = sum(segment.loop for segment in held)
    told = {
        "action": action.name,
        "style": style,
        "loop": {True: "yes", False: "no", None: "looked for"}[facts.loops],
        "up": f"{up} ({why_up})",
        "frames": str(len(take.positions)),
        "fps": f"{take.fps:g}",
        "repetitions": str(repeated),
        "single actions": str(len(held) - repeated),
    } | ({"note": take.note} if take.note else {})
    return held, FileRecord(found.file, "clip", clip_label(found), told, reason)


def choose_action(found: LabelledTake) -> tuple[Action, str]:
    """The action of a clip, and how that was decided.

    Raises:
        LeftOutError: it isn't known.
    """
    named = found.labels.action
    if named is None:
        meaning = find_action(found.labels.clip, found.file)
        if meaning.action is None:
            raise LeftOutError(meaning.reason, "says no action")
        return meaning.action, meaning.reason
    action = next((action for action in ACTIONS if action.name == named), None) or action_from_text(named)
    if action is None:
        raise LeftOutError(f"there is no action {named!r}", "names another action")
    return action, found.labels.given_by


def describe_clips(records: Sequence[FileRecord]) -> list[str]:
    """Lines about which clip became which action, and about what is odd in clips that are used."""
    clips: dict[str, list[str]] = {}
    for record in records:
        if record.use == "clip":
            clips.setdefault(record.facts["action"], []).append(record.label)
    odd = [f"{record.label}: {record.facts['note']}" for record in records if "note" in record.facts]
    return [f"{name}: {list_first(clips[name])}." for name in sorted(clips)] + [f"{list_first(odd)}."] * bool(odd)


def list_first(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def segment_probabilities(segments: Sequence[Segment]) -> NDArray[np.float64]:
    """(n,) how often a segment is drawn: actions by the root of how many clips show them, in both styles alike, and the
    clips of a style alike.
    """
    clips = Counter((segment.group, segment.style, segment.source) for segment in segments)
    styles = Counter((group, style) for group, style, _ in clips)
    groups = Counter(group for group, _ in styles)
    chances = [
        np.sqrt(sum(styles[segment.group, style] for style in STYLES))
        / groups[segment.group]
        / styles[segment.group, segment.style]
        / clips[segment.group, segment.style, segment.source]
        for segment in segments
    ]
    return np.array(chances) / np.sum(chances)


@dataclass(frozen=True, eq=False)
class TrainingWindow:
    """A sample: signals of some frames, structure of these and MARGIN frames on both sides, conditions."""

    signals: Signals
    structure: NDArray[np.float32]
    row: NDArray[np.float32]


def draw_window(segment: Segment, frames: int, rng: np.random.Generator) -> TrainingWindow:
    """A random part of a segment, repeated or held, at a random pace."""
    pace = float(np.exp(rng.uniform(*np.log(PACES))))
    steps = np.arange(-MARGIN, frames + MARGIN) * segment.tempo * pace / FPS
    if segment.loop:
        turns = rng.random() + steps
        structure = loop_structure(turns)
    else:
        length = len(segment.signals) / pace
        first = rng.uniform(-HELD, max(length + HELD - frames, -HELD + 1))
        turns = first / length + steps
        structure = single_structure(turns)
    signals = segment.sample(turns[MARGIN : MARGIN + frames])
    root = signals.root * np.array([pace, pace, pace, 1], np.float32)[:, None]
    return TrainingWindow(replace(signals, root=root), structure, segment.condition_row(pace))


def fit_latents(
    segments: Sequence[Segment], chances: FloatArray, conditions: FloatArray, z_dim: int
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """(n, z_dim) latents of the segments, and the constants with which the domain gets their coordinates back."""
    coordinates = principal_coordinates(np.stack([segment.features() for segment in segments]), COORDINATES)
    coordinates = np.pad(coordinates, ((0, 0), (0, COORDINATES - coordinates.shape[1])))
    mean, std = condition_statistics(conditions)
    sliders = ((np.stack([segment.condition_row() for segment in segments]) - mean) / std)[:, SLIDERS]
    groups = np.array([segment.group for segment in segments])
    fit = fit_groups(coordinates, sliders, groups, chances, 2 * len(ACTION_NAMES), z_dim)
    return fit.latents(coordinates, sliders, groups), {
        name: getattr(fit, name) for name in ("means", "slopes", "loadings")
    }


def summarise_segments(segments: Sequence[Segment]) -> str:
    """A line about what there is."""
    kinds = Counter((segment.action.name, segment.loop) for segment in segments)
    texts = [
        f"{name} {kinds[name, True]}+{kinds[name, False]}"
        for name in ACTION_NAMES
        if kinds[name, True] + kinds[name, False]
    ]
    return f"{len(segments)} repetitions and single actions: {', '.join(texts)}."
