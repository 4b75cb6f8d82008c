"""Segments of clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import crop_clip, mirror_clip, remove_travel, resample_clip
from ganassets_poses.actions import COLUMNS, condition_column
from ganassets_poses.cycles import local_positions
from ganassets_poses.segments import (
    FEATURE_PHASES,
    Segment,
    align_segments,
    ends_in_start_pose,
    find_segments,
    make_right_handed,
    prepare_clip,
)
from ganassets_poses.signals import signals_from_clip
from ganassets_poses.structure import FPS
from support.poses_data import BY_NAME, jump_clip, steady_walk, still_clip

WALK, RUN, JUMP, IDLE = (BY_NAME[name] for name in ("walk", "run", "jump", "idle"))


def walks(clip: MotionClip, looping: bool | None = None) -> list[Segment]:
    """Return segments of a recorded walk."""
    return find_segments(clip, WALK, "mocap", looping)


@pytest.mark.parametrize(("frames", "loop"), [(61, True), (31, True), (151, False)])
def test_a_walk_is_strides_and_their_mirror_images(frames, loop):
    segments = walks(steady_walk(frames, loop))
    assert segments and len(segments) % 2 == 0
    assert all(segment.loop and len(segment.signals) == 30 for segment in segments)
    for one, other in zip(segments[::2], segments[1::2], strict=True):
        np.testing.assert_array_equal(one.signals.mirror().stack(), other.signals.stack())


def test_a_row_describes_its_unit():
    segment = walks(steady_walk(61, speed=1.0))[0]
    row = dict(zip(COLUMNS, segment.condition_row(), strict=True))
    assert [name for name in COLUMNS if row[name] == 1 and ":" in name] == ["action:walk", "style:mocap"]
    assert row["loop"] == 1
    assert (row["speed"], row["turn"], row["tempo"]) == pytest.approx((1.0, 0, 1.0), abs=0.02)
    fast = segment.condition_row(1.1)
    assert fast[condition_column("speed")] == pytest.approx(1.1 * row["speed"])
    assert fast[condition_column("tempo")] == pytest.approx(1.1 * row["tempo"])


def test_frames_a_second_do_not_matter():
    fine = walks(steady_walk(61))[0]
    coarse = walks(resample_clip(steady_walk(61), 120.0))[0]
    assert coarse.tempo == fine.tempo
    np.testing.assert_allclose(coarse.signals.root[0].mean(), fine.signals.root[0].mean(), atol=0.01)


def test_a_walk_on_the_spot_gets_its_travel_back():
    segment = walks(remove_travel(steady_walk(61)))[0]
    assert segment.condition_row()[condition_column("speed")] == pytest.approx(1.3, abs=0.15)


def test_a_jump_happens_once_and_may_be_repeated():
    segments = find_segments(jump_clip(), JUMP, "game", None)
    assert {segment.loop for segment in segments} == {True, False}
    (once,) = [segment for segment in segments if not segment.loop]
    row = once.condition_row()
    assert (
        row[condition_column("loop")] == 0
        and row[condition_column("action:jump")] == 1
        and row[condition_column("style:game")] == 1
    )
    assert row[condition_column("tempo")] == pytest.approx(FPS / len(once.signals))


def test_steps_do_not_happen_once():
    assert all(segment.loop for segment in walks(crop_clip(steady_walk(91, loop=False), 0, 80)))


def test_takes_that_give_no_segment():
    assert walks(crop_clip(steady_walk(31), 0, 7)) == []
    for action in (WALK, IDLE, JUMP):
        assert find_segments(still_clip(60), action, "game", None) == []
        assert find_segments(still_clip(60), action, "game", True) == []


def test_fast_or_sliding_motion_is_left_out():
    fast = replace(steady_walk(31), translation=steady_walk(31).translation * np.array([1, 1, 5], np.float32))
    assert walks(fast) == []
    sideways = steady_walk(31)
    slide = np.linspace(0, 3, 31)[:, None] * [1.0, 0, 0]
    assert walks(replace(sideways, translation=(sideways.translation + slide).astype(np.float32))) == []


def test_whether_it_loops():
    assert ends_in_start_pose(steady_walk(61)) and not ends_in_start_pose(crop_clip(steady_walk(61), 0, 50))
    risen = steady_walk(61)
    risen.translation[-1, 1] += 0.2
    assert not ends_in_start_pose(risen)
    # A take that should loop and doesn't is searched for repetitions like any other.
    take = crop_clip(steady_walk(121, loop=False), 0, 110)
    assert len(walks(take, True)) == len(walks(take, False)) > 0


def test_prepared_clips_stand_on_the_ground_at_thirty_frames_a_second():
    high = resample_clip(replace(steady_walk(61), fps=FPS / 2), FPS)
    high = replace(high, translation=high.translation + np.array([0, 2, 0], np.float32))
    made = prepare_clip(high, gait=True)
    assert made.fps == FPS and made.contacts is not None and made.contacts.any()
    np.testing.assert_allclose(np.median(made.translation[:, 1]), np.median(steady_walk().translation[:, 1]), atol=0.03)


def test_the_right_side_does_more():
    clip = jump_clip()
    lazy = clip.rotations.copy()
    lazy[:, clip.skeleton.index("rightUpperArm")] = lazy[0, clip.skeleton.index("rightUpperArm")]
    left = replace(clip, rotations=lazy)
    for version in (left, mirror_clip(left)):
        (made,) = [segment for segment in find_segments(version, JUMP, "game", None) if not segment.loop]
        hands = local_positions(made.signals)[:, [clip.skeleton.index(f"{side}Hand") for side in ("left", "right")]]
        hands = hands - local_positions(made.signals)[:, [clip.skeleton.index("upperChest")]]
        moved = np.ptp(hands, axis=0).sum(-1)
        assert moved[1] > moved[0]
    signals = signals_from_clip(left)
    np.testing.assert_array_equal(make_right_handed(signals).stack(), make_right_handed(signals.mirror()).stack())


def rolled(segment: Segment, frames: int) -> Segment:
    """Return a repetition that begins later."""
    signals = segment.signals
    return replace(
        segment,
        signals=replace(
            signals,
            root=np.roll(signals.root, -frames, 1),
            rotations=np.roll(signals.rotations, -frames, 1),
            contacts=np.roll(signals.contacts, -frames, 1),
        ),
    )


def test_repetitions_are_laid_together():
    segment = walks(steady_walk(31))[0]
    runs = [replace(segment, action=RUN)]
    segments = align_segments([segment, rolled(segment, 10), *runs, rolled(segment, 25), rolled(runs[0], 5)])
    assert [u.action.name for u in segments] == ["walk", "walk", "run", "walk", "run"], "in their order"
    turns = np.arange(10) / 10
    first = local_positions(segments[0].sample(turns))
    for other in segments[1:]:
        assert np.abs(local_positions(other.sample(turns)) - first).max() < 0.05, "also those of another gait"


def test_single_actions_keep_their_beginning():
    segments = align_segments(find_segments(jump_clip(), JUMP, "game", None))
    assert all(segment.start == 0 for segment in segments if not segment.loop)


def test_before_and_after_a_single_action_it_stands_still():
    (segment,) = [segment for segment in find_segments(jump_clip(), JUMP, "game", None) if not segment.loop]
    moving = replace(segment, signals=replace(segment.signals, root=segment.signals.root + 1))
    found = moving.sample(np.array([-0.5, 0.0, 0.5, 1.0, 1.5]))
    assert (np.abs(found.root[:3]).sum(0) > 0).tolist() == [False, True, True, False, False]
    np.testing.assert_allclose(found.rotations[:, 0], found.rotations[:, 1], atol=1e-6)
    np.testing.assert_allclose(found.rotations[:, 3], found.rotations[:, 4], atol=1e-6)


def test_features_are_those_of_the_motion_and_not_of_its_speed():
    segment = walks(steady_walk(31))[0]
    features = segment.features()
    assert features.dtype == np.float32 and np.isfinite(features).all() and len(features) % FEATURE_PHASES == 0
    root = segment.signals.root + np.array([[0.5], [0], [0.3], [0]], np.float32)
    faster = replace(segment, signals=replace(segment.signals, root=root))
    np.testing.assert_allclose(faster.features(), features, atol=1e-4)
    assert not np.allclose(walks(steady_walk(31))[1].features(), features, atol=0.1)


def test_groups_are_action_and_loop():
    segments = [*walks(steady_walk(31)), *find_segments(jump_clip(), JUMP, "game", None)]
    assert len({segment.group for segment in segments}) == 3
    assert {segment.group for segment in segments[:2]} == {segments[0].group}
