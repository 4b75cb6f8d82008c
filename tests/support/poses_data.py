"""A few motion files for tests, and the training data that the generator of poses makes from them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ganassets.api.assets import MotionClip
from ganassets.api.data import TrainingData
from ganassets.api.motion.editing import rest_clip
from ganassets.api.motion.feet import hold_feet
from ganassets.api.motion.rotations import from_axis_angle, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.api.options import option_values
from ganassets.api.registry import load_exporter
from ganassets.training.networks import fit_linear
from ganassets_poses import SPEC
from ganassets_poses.actions import ACTIONS
from ganassets_poses.domain import PosesDomain
from support.motion_clips import walk_clip

BY_NAME = {action.name: action for action in ACTIONS}
FRAMES = 32
TINY = replace(
    SPEC.presets[0], size=FRAMES, network_size=FRAMES, samples=120, z_dim=6, w_dim=12, width=8, max_width=16, batch=4
)
UP = (0, 1, 0)


def steady_walk(frames: int = 61, loop: bool = True, speed: float = 1.3) -> MotionClip:
    """A walk whose feet don't slide; see motion_clips.walk_clip."""
    return hold_feet(walk_clip(frames, loop=loop, speed=speed))


def turning(clip: MotionClip, angles: np.ndarray) -> MotionClip:
    """A clip whose figure turns to the left by angles (f,) in radians as it goes."""
    steps = np.diff(clip.translation.astype(np.float64), axis=0)
    ground = np.concatenate([clip.translation[:1], clip.translation[0] + np.cumsum(turned(steps, angles[:-1]), 0)])
    rotations = clip.rotations.copy()
    rotations[:, 0] = multiply(from_axis_angle(UP, angles), rotations[:, 0].astype(np.float64))
    return replace(clip, translation=ground.astype(np.float32), rotations=rotations)


def turned(vectors: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotate (f, 3) positions about the vertical axis."""
    return rotate(from_axis_angle(UP, angles), vectors)


def jump_clip(before: int = 15, air: int = 24, after: int = 15, height: float = 0.5) -> MotionClip:
    """Build a jump on the spot with raised arms, between standing; the body always sways a little.

    Args:
        before: Frames of standing before the jump, at 30 per second.
        air: Frames in the air.
        after: Frames of standing after the jump.
        height: Height of the jump in metres.
    """
    frames = before + air + after
    lift = np.sin(np.pi * np.clip((np.arange(frames) - before) / air, 0, 1)) ** 2
    sway = 0.03 * np.sin(2 * np.pi * 0.7 * np.arange(frames) / 30)
    rotations = np.tile(np.array([0.0, 0, 0, 1], np.float32), (frames, len(HUMANOID.names), 1))
    rotations[:, HUMANOID.index("spine")] = from_axis_angle((1, 0, 0), sway)
    for side, sign in (("left", -1), ("right", 1)):
        rotations[:, HUMANOID.index(f"{side}UpperArm")] = from_axis_angle((0, 0, 1), sign * (1.3 - 2.2 * lift))
    place = np.tile(HUMANOID.offsets[0], (frames, 1))
    place[:, 1] += height * lift
    return MotionClip("jump", HUMANOID, 30.0, place.astype(np.float32), rotations)


def still_clip(frames: int) -> MotionClip:
    """Return signals or a clip of a figure that doesn't move."""
    rest = rest_clip(HUMANOID)
    return replace(rest, translation=rest.translation.repeat(frames, 0), rotations=rest.rotations.repeat(frames, 0))


def one_after_another(*clips: MotionClip) -> MotionClip:
    """A take of clips on the spot."""
    return MotionClip(
        "take",
        HUMANOID,
        30.0,
        np.concatenate([clip.translation for clip in clips]),
        np.concatenate([clip.rotations for clip in clips]),
    )


def file_of(clip: MotionClip, name: str, kind: str) -> bytes:
    """A clip as a file."""
    exporter = load_exporter(kind)
    (content,) = exporter.export(replace(clip, name=name), option_values(exporter.options, {})).values()
    return content


def write_folder(folder: Path) -> Path:
    """Write a recorded walk, a looping walk for games, and two jumps that a manifest labels."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "walk_01.bvh": file_of(turning(steady_walk(121, loop=False), np.linspace(0, 0.3, 121)), "walk_01", "bvh"),
        "Walk_Loop.glb": file_of(steady_walk(61, speed=1.0), "Walk_Loop", "gltf"),
        "high.bvh": file_of(jump_clip(), "high", "bvh"),
        "higher.bvh": file_of(jump_clip(20, 28, 18, 0.8), "higher", "bvh"),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    rows = [{"file": name, "action": "jump", "licence": "CC0-1.0"} for name in ("high.bvh", "higher.bvh")]
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@lru_cache(1)
def small_data() -> TrainingData:
    """Samples of these files."""
    with TemporaryDirectory() as folder:
        return SPEC.dataset(TINY, {"data": str(write_folder(Path(folder) / "clips"))}, 0, lambda done, total: None)


def make_domain() -> PosesDomain:
    """The domain, fitted to them."""
    return SPEC.domain(TINY, fit_linear(small_data(), TINY.z_dim, 0, np.random.default_rng(0)))
