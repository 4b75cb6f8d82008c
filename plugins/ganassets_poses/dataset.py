"""Training samples: windows of recorded motion, and latents that describe how the motions of an action vary."""

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
MOST_BONE_BYTES = 2**20  # bytes of a bone map
PACES = (0.9, 1.12)  # range of playback speeds
HELD = 40  # frames before and after a single action that a window may show
MOST_NAMED = 5  # clips in a note
KNOWN = 0.5  # share of the samples with known latents
# Suffix -> style where no label gives it; other files are "mocap".
STYLES_OF: dict[str, str] = dict.fromkeys((".glb", ".gltf", ".vrma", ".vrm"), "game")
SLIDERS = slice(len(ACTION_NAMES) + 1, len(COLUMNS))
DEFAULT = ("pybullet_data", "data/motions", "zlib", "the motion clips of the PyPI package pybullet")


def motion_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Make training data: windows of preset.network_size frames at 30 frames per second.

    Args:
        preset: Sizes and number of samples.
        options: "data": folder, zip or file of motion; by default pybullet's clips. "bones": JSON file with names of
            joints.
        seed: Random seed.
        report: Called with (done, total).

    Raises:
        InputError: The data can't be read or hold no usable motion.
        GanassetsError: The default motion is not installed.
    """
    source, licence, name = choose_source(options.get("data"))
    records: list[FileRecord] = []
    segments, credits = read_segments(source, read_bone_map(options.get("bones")), records)
    if not segments:
        raise InputError(f"{source} holds no motion usable for training ({explain_left_out(records)}).")
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
    known = latents[chosen]
    known[rng.random(len(known)) >= KNOWN] = np.nan
    return TrainingData(
        {name: np.stack([getattr(one.signals, name) for one in windows]).astype(np.float16) for name in PARTS},
        {},
        conditions,
        name,
        licence or credits,
        str(source) if licence is None else "PyPI package pybullet, pybullet_data/data/motions",
        files=tuple(records),
        latents=known,
        tiles=np.zeros(len(known), bool),
        structure=np.stack([one.structure for one in windows]),
        constants=constants,
        notes=(summarise_segments(segments), *describe_clips(records)),
    )


def choose_source(text: str | None) -> tuple[Path, str | None, str]:
    """Return the folder, zip or file of motion, its licence if it is the default, and its name."""
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
    """Read a bone map, joint of the humanoid -> name in the files, from a JSON file."""
    if text is None:
        return None
    try:
        found = json.loads(read_text(text, MOST_BONE_BYTES))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f'{text} can\'t be read as a bone map, JSON such as {{"hips": "Pelvis", ...}}.') from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(f'{text} is not a bone map, JSON such as {{"hips": "Pelvis", ...}}.')
    return found


def read_segments(
    source: Path, bones: Mapping[str, str] | None, records: list[FileRecord]
) -> tuple[list[Segment], str]:
    """Return all segments of the motion in a folder, zip or file, and the licences of its clips.

    Args:
        source: Folder, zip or file.
        bones: Bone map, see `to_humanoid`.
        records: Records of files and clips are appended.
    """
    segments: list[Segment] = []
    licences: Counter[str] = Counter()
    for found in find_motion(source, records):
        try:
            clip_segments, record = segments_of_clip(found, bones)
        except InputError as error:
            records.append(left_out(found.file, error, clip_label(found)))
            continue
        records.append(record)
        segments += clip_segments
        licences[found.labels.licence or "licence not named"] += 1
    return segments, "; ".join(licences)


def clip_label(found: LabelledTake) -> str:
    """Return the name of a clip in its file, "" where it is the file's own name."""
    return "" if found.take.name == PurePosixPath(found.file).stem else found.take.name


def segments_of_clip(found: LabelledTake, bones: Mapping[str, str] | None) -> tuple[list[Segment], FileRecord]:
    """Return the segments of a clip, and its record.

    Raises:
        LeftOutError: It has no segments, or its action is unknown.
        InputError: Its skeleton isn't recognised.
    """
    labels, take = found.labels, found.take
    action, reason = choose_action(found)
    style = labels.style or STYLES_OF.get(suffix_of(found.file), "mocap")
    if style not in STYLES:
        raise LeftOutError(f"the style {style!r} is not one of {', '.join(STYLES)}", "style not supported")
    up, why_up = (labels.up, labels.given_by) if labels.up else find_up_axis(take, bones)
    segments = find_segments(
        to_humanoid(take, bones, name=f"{found.file}: {take.name}", up=up), action, style, labels.loops
    )
    if not segments:
        raise LeftOutError(
            f"no part of it shows a usable {action.name} ({reason}; {up} is up: {why_up})", "no usable motion"
        )
    repetitions = sum(segment.loop for segment in segments)
    facts = {
        "action": action.name,
        "style": style,
        "loop": {True: "yes", False: "no", None: "detected"}[labels.loops],
        "up": f"{up} ({why_up})",
        "frames": str(len(take.positions)),
        "fps": f"{take.fps:g}",
        "repetitions": str(repetitions),
        "single actions": str(len(segments) - repetitions),
    } | ({"note": take.note} if take.note else {})
    return segments, FileRecord(found.file, "clip", clip_label(found), facts, reason)


def choose_action(found: LabelledTake) -> tuple[Action, str]:
    """Return the action of a clip, and the reason in words.

    Raises:
        LeftOutError: The action is unknown.
    """
    named = found.labels.action
    if named is None:
        meaning = find_action(found.labels.clip, found.file)
        if meaning.action is None:
            raise LeftOutError(meaning.reason, "action unknown")
        return meaning.action, meaning.reason
    action = next((action for action in ACTIONS if action.name == named), None) or action_from_text(named)
    if action is None:
        raise LeftOutError(f"there is no action {named!r}", "action not supported")
    return action, found.labels.given_by


def describe_clips(records: Sequence[FileRecord]) -> list[str]:
    """Return notes: the clips of each action, and irregularities of clips that are used."""
    clips: dict[str, list[str]] = {}
    for record in records:
        if record.use == "clip":
            clips.setdefault(record.facts["action"], []).append(record.label)
    odd = [f"{record.label}: {record.facts['note']}" for record in records if "note" in record.facts]
    return [f"{name}: {list_first(clips[name])}." for name in sorted(clips)] + [f"{list_first(odd)}."] * bool(odd)


def list_first(names: Sequence[str]) -> str:
    """Return the first names, and the number of the others."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def segment_probabilities(segments: Sequence[Segment]) -> NDArray[np.float64]:
    """Return the probabilities (n,) of drawing each segment.

    An action's probability is proportional to the square root of its number of clips. Both styles of an action are
    equally likely, and so are the clips of a style.
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
    """A training sample of f frames.

    Attributes:
        signals: Signals of its frames.
        structure: (3, f + 2 MARGIN) structure of the noise map, with MARGIN frames on both sides.
        row: (c,) conditions.
    """

    signals: Signals
    structure: NDArray[np.float32]
    row: NDArray[np.float32]


def draw_window(segment: Segment, frames: int, rng: np.random.Generator) -> TrainingWindow:
    """Draw a random window of a segment at a random pace; loops repeat, single actions are held at both ends."""
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
    """Fit how the segments of each group vary.

    Args:
        segments: n segments.
        chances: (n,) probabilities of drawing them.
        conditions: (m, c) of all samples.
        z_dim: Size of the latent.

    Returns:
        (n, z_dim) latents of the segments, and the constants with which the domain restores their coordinates.
    """
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
    """Return a note with the numbers of segments, repetitions + single actions of each action."""
    kinds = Counter((segment.action.name, segment.loop) for segment in segments)
    texts = [
        f"{name} {kinds[name, True]}+{kinds[name, False]}"
        for name in ACTION_NAMES
        if kinds[name, True] + kinds[name, False]
    ]
    return f"{len(segments)} repetitions and single actions: {', '.join(texts)}."
