"""Clips as inversion targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import sample_clip
from ganassets.api.motion.rotations import from_axis_angle, multiply, rotate
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.api.options import check_value
from ganassets_poses import SPEC
from ganassets_poses.target import FRAMES, clip_target, comparable_positions
from support.motion_clips import folded, to_take, walk_clip
from support.motion_files import bvh_of
from support.poses_data import file_of


@pytest.fixture
def walk(tmp_path) -> tuple[MotionClip, Path]:
    """A clip and its file."""
    clip = walk_clip()
    path = tmp_path / "walk.bvh"
    path.write_bytes(file_of(clip, "walk", "bvh"))
    return clip, path


def off(target, clip: MotionClip) -> float:
    """Root mean square distance in centimetres."""
    return float(np.sqrt(((target.features([clip])[0] - target.reference) ** 2).mean()))


def test_a_clip_is_met_by_itself(walk):
    clip, path = walk
    target = clip_target(path)
    assert target.reference.shape == (FRAMES * len(HUMANOID.names) * 3,)
    assert (target.unit, target.exact, target.size, target.conditions) == ("cm", True, None, {})
    assert off(target, clip) < 0.1
    assert off(target, walk_clip(speed=0.3)) > 2


def test_it_says_that_only_the_first_of_several_clips_counts(walk):
    _, path = walk
    assert clip_target(path).note == ""
    (path.parent / "z.bvh").write_bytes(path.read_bytes())
    note = clip_target(path.parent).note
    assert note == f"{path.parent.name} holds 2 clips; this is the first, walk."


def test_settings_of_the_comparison(walk):
    """The target's settings are the plugin's own; the clip has the same duration and no corrections."""
    clip, path = walk
    target = clip_target(path)
    settings = {**target.settings, **target.draft}
    known = {option.name: option for option in SPEC.settings}
    assert settings.keys() <= known.keys()
    for name, value in settings.items():
        check_value(known[name], value)
    assert settings["seconds"] == pytest.approx(clip.seconds, abs=1e-3) and target.draft == {"hold-feet": False}


def test_where_it_begins_and_faces_does_not_matter(walk):
    clip, path = walk
    turn = from_axis_angle((0, 1, 0), 1.0).astype(np.float32)
    rotations = clip.rotations.copy()
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    moved = replace(
        clip, translation=rotate(turn, clip.translation) + np.array([3, 0, -2], np.float32), rotations=rotations
    )
    target = clip_target(path)
    assert off(target, moved) < 0.1
    lifted = replace(clip, translation=clip.translation + np.array([0, 0.5, 0], np.float32))
    assert off(target, lifted) > 20


def test_frames_a_second_do_not_matter(walk):
    clip, path = walk
    finer = sample_clip(clip, np.arange(121) / 60)
    assert off(clip_target(path), replace(finer, fps=60.0)) < 0.5


def test_a_zero_pose_that_is_folded_does_not_matter(walk):
    clip, path = walk
    path.write_text(bvh_of(folded(to_take(clip))))
    assert off(clip_target(path), clip) < 1.5, "upright, and the toes are measured"


def test_rows_that_do_not_fit_the_channels_are_refused(walk):
    path = walk[1]
    head, motion = path.read_text().split("Frame Time: ")
    time, *rows = motion.strip().splitlines()
    path.write_text("\n".join([f"{head}Frame Time: {time}", *(f"{row} 0" for row in rows)]))
    with pytest.raises(InputError, match=r"walk.bvh: line 135: 70 values, but the header declares 69 channels"):
        clip_target(path)


def test_a_pose_is_a_clip_that_stands():
    clip = walk_clip()
    pose = replace(clip, translation=clip.translation[:1], rotations=clip.rotations[:1], contacts=None, loop=False)
    frames = comparable_positions([pose])[0].reshape(FRAMES, -1)
    np.testing.assert_array_equal(frames, np.broadcast_to(frames[0], frames.shape))


@pytest.mark.parametrize(("frames", "fps", "seconds"), [(3, 30.0, "0.0667"), (700, 30.0, "23.3")])
def test_clips_that_are_too_short_or_too_long(tmp_path, frames, fps, seconds):
    path = tmp_path / "clip.bvh"
    path.write_bytes(file_of(walk_clip(frames, fps, loop=False), "clip", "bvh"))
    with pytest.raises(InputError, match=rf"clip\.bvh lasts {seconds} s; cut out 0.2 to 20 s of it"):
        clip_target(path)


def test_files_that_hold_no_motion(tmp_path):
    (tmp_path / "a.bvh").write_text("HIERARCHY")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "a.bvh", tmp_path / "empty", tmp_path / "gone.bvh"):
        with pytest.raises(InputError):
            clip_target(path)


def test_the_plugin_offers_it(walk):
    assert SPEC.target
    np.testing.assert_array_equal(SPEC.target(walk[1]).reference, clip_target(walk[1]).reference)
