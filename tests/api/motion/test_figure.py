"""Pictures of a figure: camera, mannequin, floor, trails and animations."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.assets import MotionClip, Skeleton
from ganassets.api.errors import InputError
from ganassets.api.motion.animation import (
    VIEWS,
    animated_sheet,
    check_length,
    followed_points,
    moments,
    shared_length,
    shot_of,
    ticks,
)
from ganassets.api.motion.editing import mirror_clip, rest_clip
from ganassets.api.motion.figure import SIDE_COLOURS, Camera, body_of, draw_figure, hulls, unit_circle
from ganassets.api.motion.floor import BACKDROP, RADIUS, draw_trails, grid_of, trails_of
from ganassets.api.motion.kinematics import local_rotations, rest_pose, world_pose
from ganassets.api.motion.rotations import conjugate, multiply, normalise, rotate
from ganassets.api.motion.skeletons import HUMANOID, HUMANOID_FINGERS
from support.motion_clips import random_clip, walk_clip


def hue(picture: Image.Image, side: str) -> np.ndarray:
    """Mask (h, w) pixels with the hue of a side: its strongest channel is far above green."""
    pixels = np.asarray(picture).astype(int)
    strong = {"left": 0, "right": 2}[side]
    assert np.argmax(SIDE_COLOURS[side]) == strong
    return pixels[..., strong] - pixels[..., 1] > 40


def standing(frames: int, speed: float = 0.0) -> MotionClip:
    """A figure at rest that slides ahead with both feet on the ground."""
    clip = rest_clip(HUMANOID)
    steps = np.arange(frames, dtype=np.float32)[:, None] / 30 * np.array([0, 0, speed], np.float32)
    return replace(
        clip,
        translation=clip.translation + steps,
        rotations=np.repeat(clip.rotations, frames, 0),
        contacts=np.ones((frames, 4), bool),
    )


def rerigged(clip: MotionClip, rng: np.random.Generator) -> MotionClip:
    """The same motion on a skeleton whose joints' frames lie anyhow at rest."""
    skeleton = clip.skeleton
    frames = normalise(rng.normal(size=(len(skeleton.names), 4)))
    frames[0] = [0, 0, 0, 1]
    above = frames[list(skeleton.parents)]
    above[0] = [0, 0, 0, 1]
    rest = local_rotations(skeleton.parents, multiply(rest_pose(skeleton)[1], frames))
    world = world_pose(skeleton, clip.translation, clip.rotations.astype(np.float64))[1]
    offsets = rotate(conjugate(above), skeleton.offsets.astype(np.float64)).astype(np.float32)
    rig = Skeleton(skeleton.names, skeleton.parents, offsets, rest.astype(np.float32))
    local = local_rotations(skeleton.parents, multiply(world, frames))
    return replace(clip, skeleton=rig, rotations=local.astype(np.float32))


@given(
    yaw=st.floats(-4, 4),
    pitch=st.floats(-1, 1),
    points=st.lists(st.tuples(*[st.floats(-1, 1)] * 3), min_size=2, max_size=6, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_a_fitted_camera_shows_all_balls_and_no_more(yaw: float, pitch: float, points: list) -> None:
    box = (10.0, 20.0, 110.0, 90.0)
    camera = Camera(yaw, pitch).fitted(np.array(points), 0.1, box)
    seen, scale = camera.project(np.array(points))
    low, high = (seen - 0.1 * scale[:, None]).min(0), (seen + 0.1 * scale[:, None]).max(0)
    assert (low >= np.array(box[:2]) - 1e-6).all()
    assert (high <= np.array(box[2:]) + 1e-6).all()
    assert np.isclose(high - low, [100, 70]).any()
    assert np.allclose(low + high, [120, 110])


def test_the_front_view_shows_left_on_the_right_and_near_parts_larger() -> None:
    camera = Camera(0.0, 0.0, focal=100, centre=(50, 50))
    seen, scale = camera.project(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    assert seen[0].tolist() == [50, 50]
    assert seen[1, 0] > 50
    assert seen[2, 1] < 50
    assert scale[3] > scale[0]


@given(
    discs=st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 1)), min_size=1, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_a_hull_reaches_as_far_as_its_farthest_disc_in_every_direction(discs: list) -> None:
    numbers = np.array(discs)
    centre, radius = hulls(numbers[:, :2], numbers[:, 2])
    outline = centre + radius[:, None] * unit_circle()
    farthest = (numbers[:, :2] @ unit_circle().T + numbers[:, 2:]).max(0)
    assert np.allclose((outline @ unit_circle().T).max(0), farthest)


def test_the_body_does_not_depend_on_the_frames_of_the_skeleton_at_rest() -> None:
    clip = random_clip(np.random.default_rng(1), 5)
    body, other = body_of(clip), body_of(rerigged(clip, np.random.default_rng(2)))
    assert np.allclose(body.centres, other.centres, atol=1e-5)
    assert np.allclose(body.radii, other.radii)


def test_fingers_change_nothing_and_missing_joints_are_named() -> None:
    assert np.allclose(body_of(rest_clip(HUMANOID)).centres, body_of(rest_clip(HUMANOID_FINGERS)).centres)
    few = Skeleton(HUMANOID.names[:6], HUMANOID.parents[:6], HUMANOID.offsets[:6], HUMANOID.rest_rotations[:6])
    with pytest.raises(InputError, match="leftLowerLeg"):
        body_of(rest_clip(few))


def test_the_body_stands_on_the_floor_and_is_as_high_as_an_adult() -> None:
    body = body_of(rest_clip(HUMANOID))
    assert abs((body.centres[..., 1] - body.radii).min()) < 0.01
    assert 1.68 < (body.centres[..., 1] + body.radii).max() < 1.78


def test_a_mirrored_clip_is_the_mirrored_body_with_the_sides_exchanged() -> None:
    clip = walk_clip(31)
    body, other = body_of(clip), body_of(mirror_clip(clip))
    warm = (body.colours == SIDE_COLOURS["left"]).all(1)
    cool = (body.colours == SIDE_COLOURS["right"]).all(1)
    assert np.allclose(body.centres[:, warm] * [-1, 1, 1], other.centres[:, cool], atol=1e-5)


def test_left_is_warm_and_right_is_cool_on_their_sides() -> None:
    picture = next(shot_of(rest_clip(HUMANOID), np.zeros(1), 200, "front").pictures())
    warm, cool = np.nonzero(hue(picture, "left"))[1], np.nonzero(hue(picture, "right"))[1]
    assert len(warm) > 500
    assert warm.min() > 95
    assert cool.max() < 105
    # From the right side that arm hides the left one.
    side = next(shot_of(walk_clip(31), np.zeros(1), 200, "side").pictures())
    assert hue(side, "right").sum() > 1.5 * hue(side, "left").sum()


def test_nearer_parts_hide_farther_ones() -> None:
    clip = rest_clip(HUMANOID)
    body = body_of(clip)
    for yaw, front in ((np.pi / 2, "left"), (-np.pi / 2, "right")):
        camera = Camera(yaw, 0.0, target=(0, 0.9, 0), focal=600, centre=(100, 100))
        image = Image.new("RGB", (200, 200), BACKDROP)
        draw_figure(image, body, 0, camera)
        back = {"left": "right", "right": "left"}[front]
        assert hue(image, front).sum() > 100
        assert hue(image, back).sum() < 0.05 * hue(image, front).sum()


@pytest.mark.parametrize("view", VIEWS)
def test_all_of_the_figure_is_inside_the_picture(view: str) -> None:
    clip = random_clip(np.random.default_rng(3), 60)
    shot = shot_of(clip, np.linspace(0, clip.seconds, 7), 160, view)
    for frame, camera in enumerate(shot.cameras):
        seen, scale = camera.project(shot.body.centres[frame])
        reach = (scale * shot.body.radii)[..., None]
        assert (seen - reach).min() >= 0
        assert (seen + reach).max() <= 160


def test_pictures_have_the_size_a_light_floor_and_come_out_the_same_again() -> None:
    clip = walk_clip(31)
    shot = shot_of(clip, np.array([0.0, 0.4]), 96)
    pictures, again = list(shot.pictures()), list(shot_of(clip, np.array([0.0, 0.4]), 96).pictures())
    assert [picture.size for picture in pictures] == [(96, 96)] * 2
    assert [picture.tobytes() for picture in pictures] == [picture.tobytes() for picture in again]
    assert pictures[0].tobytes() != pictures[1].tobytes()
    assert np.asarray(pictures[0])[80, 60].sum() > sum(BACKDROP)


@pytest.mark.parametrize("speed", [0.0, 0.1, 0.7, 1.3, 3.1])
def test_a_loop_continues_from_its_last_picture_without_a_jump(speed: float) -> None:
    clip = walk_clip(31, speed=speed)
    times, _ = moments(clip, 15)
    pictures = [np.asarray(picture).astype(float) for picture in shot_of(clip, times, 96).pictures()]
    steps = [np.abs(a - b).mean() for a, b in zip(pictures, [*pictures[1:], pictures[0]], strict=True)]
    assert steps[-1] < 1.2 * max(steps[:-1])
    assert len(pictures) == 15


@pytest.mark.parametrize("speed", [0.9, 1.3, 2.2])
def test_a_loop_travels_whole_cells_along_its_grid(speed: float) -> None:
    clip = walk_clip(37, speed=speed)
    grid = grid_of(clip)
    cells = speed * clip.seconds / grid.cell
    assert abs(cells - round(cells)) < 1e-4
    assert 0.3 < grid.cell < 0.8


def test_feet_that_slide_leave_longer_marks() -> None:
    def marked(clip: MotionClip) -> dict[str, int]:
        image = Image.new("RGB", (400, 400))
        camera = Camera(0.0, 0.6, focal=1200, centre=(200, 200))
        draw_trails(image, trails_of(clip), clip.seconds, camera)
        return {side: int(hue(image, side).sum()) for side in SIDE_COLOURS}

    still, slow, fast = (marked(standing(31, speed)) for speed in (0.0, 0.3, 0.6))
    for side in SIDE_COLOURS:
        assert still[side] > 20
        assert slow[side] > 2 * still[side]
        assert fast[side] > 1.5 * slow[side]


def test_without_contacts_no_foot_is_marked_as_standing() -> None:
    clip = standing(31, 0.4)
    assert trails_of(clip).stands.all()
    assert not trails_of(replace(clip, contacts=None)).stands.any()


def test_a_loops_trails_go_back_into_the_round_before() -> None:
    clip = walk_clip(31)
    trails = trails_of(clip)
    points, _, age = trails.before(0.0)
    assert len(points) > 31
    assert np.allclose(points[-1], trails.points[0])
    assert np.allclose(points[-2] + trails.loop_step, trails.points[-2])
    assert age[-1] == 0
    once, _, _ = trails_of(replace(clip, loop=False)).before(0.2)
    assert np.allclose(once, trails.points[:7])


def test_trails_outside_the_lit_floor_are_not_drawn() -> None:
    image = Image.new("RGB", (50, 50))
    clip = standing(4)
    far = replace(clip, translation=clip.translation + np.array([2 * RADIUS, 0, 0], np.float32))
    draw_trails(image, trails_of(far), 0.1, Camera(0.0, 0.6, focal=60, centre=(25, 25)))
    assert not np.asarray(image).any()


def test_moments_of_a_loop_leave_out_its_closing_frame_and_others_end_with_a_pause() -> None:
    loop, once = walk_clip(31), walk_clip(31, loop=False)
    times, stays = moments(loop, 10)
    assert np.allclose(times, np.arange(10) / 10)
    assert np.isclose(sum(stays), loop.seconds)
    times, stays = moments(once, 10)
    assert np.allclose(times, np.arange(11) / 10)
    assert stays[-1] > stays[0]
    assert len(moments(rest_clip(HUMANOID), 15)[0]) == 1


@given(stays=st.lists(st.floats(0.02, 1), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_ticks_keep_time(stays: list[float]) -> None:
    sums = np.cumsum(ticks(stays, 0.01)) * 0.01
    assert np.abs(sums - np.cumsum(stays)).max() < 0.005 + 1e-9
    assert min(ticks(stays, 0.01)) >= 1


def test_ticks_are_never_0() -> None:
    assert ticks([0.001] * 3, 0.01) == [1, 1, 1]


@given(lengths=st.lists(st.floats(0.3, 5), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_shared_length_holds_every_clip(lengths: list[float]) -> None:
    length = shared_length(lengths)
    assert max(lengths) * (1 - 1e-9) <= length <= 2 * max(lengths) * (1 + 1e-9)


def test_clips_that_fit_into_each_other_keep_their_speed() -> None:
    assert np.isclose(shared_length([2.0, 1.0, 0.5]), 2)
    assert np.isclose(shared_length([1.0, 1.5]), 1.5 * 2)


def test_an_animated_sheet_plays_all_clips_in_its_grid() -> None:
    clips = [walk_clip(31), standing(16), rest_clip(HUMANOID)]
    sheet = Image.open(io.BytesIO(animated_sheet(clips, 2, 64, 10)))
    assert sheet.format == "WEBP"
    assert sheet.info["loop"] == 0
    assert sheet.width == 128
    assert 128 < sheet.height < 190
    frames = []
    for frame in range(getattr(sheet, "n_frames", 1)):
        sheet.seek(frame)
        frames.append(np.asarray(sheet.convert("RGB")).astype(int))
    assert len(frames) >= 10
    first, later = frames[0], frames[len(frames) // 4]
    half = sheet.height // 2
    assert np.abs(first - later)[:half, :64].max() > 60  # the walk moves
    assert np.abs(first - later)[half:, :64].max() < 40  # the single pose doesn't
    assert np.abs(first[half : half + 60, 64:] - BACKDROP).max() < 12  # no clip here


def test_an_animated_sheet_needs_clips_and_bounds_its_size() -> None:
    with pytest.raises(InputError, match="at least one"):
        animated_sheet([], 4)
    with pytest.raises(InputError, match="smaller size"):
        check_length(1000, 500, 500)
    with pytest.raises(InputError, match="fewer pictures"):
        check_length(3601, 32, 32)
    check_length(3600, 32, 32)


def test_the_camera_follows_smoothly_and_stays_near() -> None:
    clip = random_clip(np.random.default_rng(4), 120)
    times = np.linspace(0, clip.seconds, 119 * 2 + 1)
    targets = followed_points(clip, times)
    root = np.stack([np.interp(times, np.arange(120) / 30, way) for way in clip.translation.T], -1) * (1, 0, 1)
    assert np.abs(targets - root).max() < 0.6
    assert np.abs(np.diff(targets, 2, axis=0)).max() < 0.5 * np.abs(np.diff(root, 2, axis=0)).max()
    assert np.allclose(followed_points(standing(40), times), 0)


def test_the_camera_goes_evenly_along_with_a_loop() -> None:
    clip = walk_clip(31)
    targets = followed_points(clip, np.linspace(0, clip.seconds, 31))
    assert np.allclose(np.diff(targets, axis=0), [0, 0, 1.3 / 30], atol=1e-6)
