"""The contact sheet of motion clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.animation import INK
from ganassets.api.motion.floor import BACKDROP
from ganassets_poses import preview
from ganassets_poses.preview import (
    GAP,
    HEIGHT,
    MAX_CLIPS,
    MOST_COLUMNS,
    WIDTH,
    add_title,
    captions,
    contact_sheet,
    line_height,
    strip_height,
    strip_panel,
    top_view,
)
from support.motion_clips import PROVENANCE, random_clip, walk_clip


def pose(seed: int) -> MotionClip:
    """A single pose."""
    return random_clip(np.random.default_rng(seed), 1)


def warm(picture: Image.Image) -> np.ndarray:
    """Mask (h, w) pixels with the left side's hue."""
    pixels = np.asarray(picture).astype(int)
    return pixels[..., 0] - pixels[..., 2] > 60


def bright(picture: Image.Image) -> np.ndarray:
    """Mask (h, w) pixels with the colour of text."""
    return np.abs(np.asarray(picture).astype(int) - INK).max(-1) < 25


def test_a_sheet_of_clips_is_within_its_bounds_and_holds_a_strip_for_each() -> None:
    clips = [walk_clip(9), random_clip(np.random.default_rng(0), 12), pose(1)]
    one, three = contact_sheet(clips[:1]), contact_sheet(clips)
    assert three.width == one.width <= WIDTH
    assert three.height - GAP == 3 * (one.height - GAP)


@pytest.mark.parametrize("count", range(1, MAX_CLIPS + 1))
def test_strips_of_any_number_fit_a_sheet(count: int) -> None:
    height, columns = max((strip_height(count, columns), -columns) for columns in range(1, MOST_COLUMNS + 1))
    rows = -(-count // -columns)
    assert height >= 100
    assert rows * (height + line_height(height) + GAP) + GAP <= HEIGHT


def test_the_largest_sheet_is_within_its_bounds() -> None:
    sheet = contact_sheet([walk_clip(3)] * (MAX_CLIPS + 6))
    assert sheet.width <= WIDTH
    assert sheet.height <= HEIGHT


def test_single_poses_alone_are_larger_figures_in_a_grid() -> None:
    one, five = contact_sheet([pose(0)]), contact_sheet([pose(seed) for seed in range(5)])
    assert one.width > 400
    assert five.width - GAP == 3 * (one.width - GAP)
    assert five.height - GAP == 2 * (one.height - GAP)


def test_a_single_pose_among_clips_is_drawn_once() -> None:
    once, often = (warm(strip_panel(clip, 120)) for clip in (pose(2), walk_clip(31)))
    assert once[:, :120].sum() > 50
    assert not once[:, 120:-120].any()
    assert all(often[:, x : x + 72].sum() > 50 for x in range(24, 8 * 72, 72))


def test_captions_say_what_the_clip_is() -> None:
    sliders = {"speed": 1.0, "action:run": 0.0, "action:walk": 1.0}
    clip = replace(walk_clip(31), name="poses-00000007", provenance=replace(PROVENANCE, sliders=sliders))
    assert captions(clip) == ["poses-00000007", "walk", "1.0 s", "loop", "1.3 m"]
    assert captions(walk_clip(16, loop=False, speed=2.0))[1:] == ["0.5 s", "1.0 m"]
    assert captions(walk_clip(31, speed=0.0))[1:] == ["1.0 s", "loop"]
    assert captions(pose(0)) == ["random"]


@pytest.mark.parametrize("width", [40, 61, 150, 700])
@pytest.mark.parametrize(
    "texts", [["a name"], ["W" * 200, "walk"], ["name", "walk", "12.5 s", "loop", "3.2 m"], ["gjpqy|" * 6, "x"]]
)
def test_text_is_never_clipped(texts: Sequence[str], width: int) -> None:
    panel = np.asarray(add_title(Image.new("RGB", (width, 120), BACKDROP), texts)).astype(int)
    marked = np.abs(panel - BACKDROP).max(-1) > 8
    line = line_height(120)
    assert marked[:line].any()
    assert not marked[line:].any()
    assert not marked[0].any()
    assert not marked[line - 1].any()
    assert not marked[:, [0, width - 1]].any()


def test_the_first_text_is_bright_and_the_rest_pale() -> None:
    blank = Image.new("RGB", (400, 120), BACKDROP)
    assert bright(add_title(blank, ["name"])).any()
    assert bright(add_title(blank, ["name", "walk"])).sum() == bright(add_title(blank, ["name"])).sum()


def test_a_map_shows_the_left_foot_left_of_the_right_one_while_walking_ahead() -> None:
    pixels = np.asarray(top_view(walk_clip(61), 160)).astype(int)
    left = np.nonzero(pixels[..., 0] - pixels[..., 2] > 60)
    right = np.nonzero(pixels[..., 2] - pixels[..., 0] > 80)
    assert left[1].mean() < right[1].mean()
    assert np.ptp(left[0]) > 100  # the way goes up


def test_a_map_marks_feet_that_slide() -> None:
    clip = walk_clip(31, speed=1.0)
    still = replace(clip, contacts=np.zeros((31, 4), bool))
    sliding = replace(clip, contacts=np.ones((31, 4), bool))
    assert warm(top_view(sliding, 160)).sum() > 2 * warm(top_view(still, 160)).sum()


def test_the_sheet_comes_out_the_same_again() -> None:
    clips = [walk_clip(9), pose(3)]
    assert contact_sheet(clips).tobytes() == contact_sheet(clips).tobytes()


def test_a_sheet_needs_a_clip() -> None:
    with pytest.raises(InputError, match="at least one clip"):
        contact_sheet([])


def test_only_a_single_clip_that_moves_is_animated() -> None:
    moving = preview.animation([walk_clip(9)])
    assert moving is not None and moving[8:12] == b"WEBP"
    assert preview.animation([walk_clip(9), walk_clip(9)]) is None
    assert preview.animation([pose(0)]) is None
    assert preview.animation([walk_clip(9 * 40)]) is None, "longer than 10 s"


def test_strips_of_many_clips_have_fewer_poses() -> None:
    assert [preview.pose_count(count) for count in (1, 16, 17, 64)] == [8, 8, 4, 4]
    picture = strip_panel(replace(walk_clip(31), loop=False), 100, 4)
    assert picture.width == int(preview.strip_width(4) * 100) + 100


def test_the_poses_of_a_loop_of_two_repetitions_all_differ() -> None:
    once = walk_clip(31)
    twice = replace(
        once,
        translation=np.concatenate([once.translation[:-1], once.translation + once.translation[-1] * (1, 0, 1)]).astype(
            np.float32
        ),
        rotations=np.concatenate([once.rotations[:-1], once.rotations]),
        contacts=None,
    )
    panel = np.asarray(strip_panel(twice, 100, 4)).astype(int)[-100:]
    poses = [panel[:, start : start + 60] for start in (20, 80, 140, 200)]
    assert min(np.abs(a - b).mean() for i, a in enumerate(poses) for b in poses[:i]) > 3
