"""Reading BVH files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import to_matrix
from ganassets_poses.readers import bvh, limits, read_bvh
from support.motion_files import BvhJoint, bvh_text, bvh_world
from support.processor_time import processor_time

WORDS = [f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ"]
FULL = ["Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation"]
PAIR = [BvhJoint("Hips", -1, (0, 1, 0), FULL), BvhJoint("Head", 0, (0, 2, 0), FULL[3:])]
ROWS = np.arange(18.0).reshape(2, 9)
TEXT = bvh_text(PAIR, ROWS)


@st.composite
def figures(draw: st.DrawFn) -> tuple[list[BvhJoint], np.ndarray]:
    """Joints depth first with any channels, and frames."""
    joints: list[BvhJoint] = []
    number = st.floats(-200, 200, width=32)
    for index in range(draw(st.integers(1, 6))):
        above = [index - 1]  # the last joint and all that it hangs on, -1 at last: what may come next, depth first
        while above[-1] >= 0:
            above.append(joints[above[-1]].parent)
        channels = draw(st.lists(st.sampled_from(WORDS), max_size=6, unique=True))
        if not joints and not channels:
            channels = ["Yrotation"]
        offset = draw(st.tuples(number, number, number))
        joints.append(BvhJoint(f"joint {index}", draw(st.sampled_from(above)), offset, channels))
    width = sum(len(joint.channels) for joint in joints)
    frames = draw(st.integers(1, 3))
    values = draw(st.lists(number, min_size=frames * width, max_size=frames * width))
    return joints, np.array(values).reshape(frames, width)


@settings(max_examples=40)
@given(figures())
def test_world_transforms_are_those_of_plain_matrices(figure: tuple[list[BvhJoint], np.ndarray]) -> None:
    joints, rows = figure
    take = read_bvh(bvh_text(joints, rows), "clip")
    assert take.names == tuple(joint.name for joint in joints)
    assert take.parents == tuple(joint.parent for joint in joints)
    for frame, row in enumerate(rows):
        for joint, world in enumerate(bvh_world(joints, row)):
            np.testing.assert_allclose(take.positions[frame, joint], world[:3, 3], atol=1e-8)
            np.testing.assert_allclose(to_matrix(take.rotations[frame, joint]), world[:3, :3], atol=1e-9)
    # Offsets of 0 are taken from the channels; see the tests below.
    still = [BvhJoint(joint.name, joint.parent, joint.offset) for joint in joints]
    if not all(any(joint.offset) for joint in joints):
        return
    for joint, world in enumerate(bvh_world(still, [])):
        np.testing.assert_allclose(take.rest_positions[joint], world[:3, 3], atol=1e-9)
    assert (take.rest_rotations == [0, 0, 0, 1]).all()


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("\t", "   "),
        TEXT.replace("Hips\n{", "Hips {").replace("\n", " \n\n"),
        TEXT.upper().replace("HIPS", "Hips").replace("HEAD", "Head"),
        TEXT.lower().replace("hips", "Hips").replace("head", "Head"),
        TEXT.replace("Frames: 2", "Frames:\t7"),
        TEXT.replace("17.0", "1.7e+1"),
        "\ufeff" + TEXT,
        TEXT.rstrip(),
    ],
)  # fmt: skip
def test_ways_of_writing(text: str) -> None:
    expected = read_bvh(TEXT, "a")
    for content in (text, text.encode()):
        take = read_bvh(content, "a")
        assert take.names == ("Hips", "Head")
        assert np.array_equal(take.positions, expected.positions)
        assert np.array_equal(take.rotations, expected.rotations)


@pytest.mark.parametrize("name", ["mixamorig:Hips", "Bip01 L Thigh", "hüfte", "JOINT", "upper_arm.L", "42"])
def test_names(name: str) -> None:
    assert read_bvh(bvh_text([BvhJoint(name, -1, (0, 0, 0), FULL)], ROWS[:, :6]), "a").names == (name,)


@pytest.mark.parametrize(
    ("written", "fps"), [("0.0333333", 30), ("0.03333", 30), (".0083333", 120), ("0.041667", 24), ("1e-2", 100)]
)
def test_frame_rate(written: str, fps: float) -> None:
    assert read_bvh(TEXT.replace("Frame Time: 0.03333333333333333", f"Frame Time: {written}"), "a").fps == fps


def test_positions_stand_in_place_of_offsets() -> None:
    take = read_bvh(TEXT, "a")
    np.testing.assert_allclose(take.positions[:, 0], ROWS[:, :3])
    np.testing.assert_allclose(take.rest_positions, [[0, 1, 0], [0, 3, 0]])


def test_several_roots() -> None:
    joints = [BvhJoint("A", -1, (1, 0, 0), ["Xrotation"]), BvhJoint("B", -1, (2, 0, 0), ["Xrotation"])]
    assert read_bvh(bvh_text(joints, ROWS[:, :2]), "a").parents == (-1, -1)


def test_offsets_of_0_are_taken_from_the_position_channels() -> None:
    rows = np.arange(22.0).reshape(2, 11)[:, :9].repeat(3, 0)
    whole = bvh_text([PAIR[0], BvhJoint("Head", 0, (3, 4, 5), FULL)], np.c_[rows, rows[:, :3]])
    joints = [PAIR[0], BvhJoint("Head", 0, (0, 0, 0), FULL)]
    held = read_bvh(bvh_text(joints, np.c_[rows[:, :6], np.tile([3, 4, 5], (6, 1)), rows[:, 6:]]), "a")
    assert held.rest_positions.tolist() == [[0, 1, 0], [3, 5, 5]]
    moving = np.c_[rows[:, :6], np.arange(18).reshape(6, 3), rows[:, 6:]]
    assert read_bvh(bvh_text(joints, moving), "a").rest_positions.tolist() == [[0, 1, 0], [0, 1, 0]], "it travels"
    assert read_bvh(whole, "a").rest_positions.tolist() == [[0, 1, 0], [3, 5, 5]], "the file's own count"


def test_rows_that_do_not_fit_the_channels_are_reported_with_their_line() -> None:
    rows = np.c_[np.repeat(ROWS, 5, 0), np.zeros(10)]  # 10 rows of 10 values: as many as 9 channels and 11 frames
    wide = bvh_text(PAIR, rows).replace("Frames: 10", "Frames: 9")
    for text in (wide, "\n".join(wide.splitlines()[:-1])):
        with pytest.raises(InputError) as caught:
            read_bvh(text, "a")
        first = wide.splitlines().index(" ".join(map(repr, rows[0].tolist()))) + 1
        assert str(caught.value).startswith(f"line {first}: 10 values, but the header declares 9 channels")
        assert str(caught.value).endswith("so export it again")
    moved = TEXT.replace("8.0\n9.0", "\n8.0 9.0").replace(" 8.0\n", "\n8.0 ")  # a value goes to the next line
    with pytest.raises(InputError, match=r"line \d+: 8 values, but the header declares 9 channels; the file is cut"):
        read_bvh(moved, "a")


def test_rows_with_other_line_ends_are_read_where_the_frames_say_so() -> None:
    expected = read_bvh(TEXT, "a").positions
    head, block = TEXT.split("Frame Time: 0.03333333333333333\n")
    for lines in (block.replace("\n", " "), block.replace(" 3.0", "\n3.0").replace(" 12.0", "\n12.0")):
        text = f"{head}Frame Time: 0.03333333333333333\n{lines}\n"
        np.testing.assert_array_equal(read_bvh(text, "a").positions, expected)
        with pytest.raises(InputError, match="values, but the header declares 9 channels"):
            read_bvh(text.replace("Frames: 2", "Frames: 3"), "a")


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("2", ""),
        ("3", "3 frames but the file has 2, so it may be cut off; all"),
        ("1", "1 frames but the file has 2; all of them are used"),
        ("many", ""),
    ],
)
def test_another_number_of_frames_is_noted(said: str, note: str) -> None:
    take = read_bvh(TEXT.replace("Frames: 2", f"Frames: {said}"), "a")
    assert len(take.positions) == 2 and note in take.note and bool(take.note) == bool(note)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "doesn't start with HIERARCHY"),
        ("PK\3\4 binary", "doesn't start with HIERARCHY"),
        ("HIERARCHY\0", "not a text file"),
        (TEXT[:60], "line 5: CHANNELS declares 6 channels"),
        (TEXT.split("MOTION")[0], "can't be read: ''"),
        (TEXT.replace("}", "", 1), "before the hierarchy is complete"),
        (TEXT.replace("}", "}}}", 1), "without an opening one"),
        (TEXT.replace("MOTION", "} MOTION"), "without an opening one"),
        ("HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 1\n", "before the hierarchy"),
        (TEXT.replace("OFFSET 0 1 0\n", "JOINT x { }"), "below an End Site"),
        (TEXT.replace("OFFSET 0.0 1.0 0.0", "OFFSET 0.0 1.0"), "line 4: offsets should be numbers, not 'CHANNELS'"),
        (TEXT.replace("OFFSET 0.0 1.0 0.0", "OFFSET a b c"), "offsets should be numbers, not 'a'"),
        (TEXT.replace("OFFSET 0.0 1.0 0.0", "OFFSET 0 nan 0"), "offsets hold numbers that are not finite"),
        (TEXT.replace("OFFSET 0.0 1.0 0.0", "OFFSET 0 1e300 0"), "offsets hold a number beyond 10,000,000"),
        (TEXT.replace("CHANNELS 6", "CHANNELS 5"), "line 5: CHANNELS declares 5 channels but names 6"),
        (TEXT.replace("CHANNELS 6", "CHANNELS 17" + " Xrotation" * 11), "more than 16 channels for one joint"),
        (TEXT.replace("CHANNELS 6", f"CHANNELS {'9' * 5000}"), "CHANNELS declares 999999999 channels"),
        (TEXT.replace("Frame Time: 0.0", "Frame Time: 0.0x"), "the frame time should be numbers"),
        (TEXT.replace("Frame Time:", "Frame Tim:"), "should follow MOTION"),
        (TEXT.replace("Frame Time: 0", "Frame Time: -0"), "a frame lasts -0.0333333 s"),
        (TEXT.replace("0.03333333333333333", "0"), "a frame lasts 0 s"),
        (TEXT.replace("0.03333333333333333", "nan"), "not finite"),
        (TEXT.replace("0.03333333333333333", "99"), "a frame lasts 99 s; 0.001 to 10 s can be read"),
        (TEXT.replace("17.0", ""), "17 values don't make whole frames of 9; the file is cut off"),
        (TEXT.replace("17.0", "17.0 18.0"), "19 values don't make whole frames"),
        (TEXT.replace("17.0", "inf"), "the frames hold numbers that are not finite"),
        (TEXT.replace("17.0", "x17"), "the frames should be numbers, not 'x17'"),
        (TEXT.replace("17.0", "1e99"), "the frames hold a number beyond"),
        (bvh_text(PAIR, ROWS[:0]), "there are no frames"),
        (bvh_text([BvhJoint("A", -1, (0, 0, 0))], ROWS[:0]), "no joint has a channel"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_bvh(text, "a")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def refuse_joints(text: str) -> None:
    with pytest.raises(InputError, match="more than 2,048 joints"):
        read_bvh(text, "a")


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for joint in ("JOINT a {\n", "JOINT a { OFFSET 0 0 0 CHANNELS 0 }\n"):
        few, many = (
            processor_time(lambda text="HIERARCHY\nROOT a { OFFSET 0 0 0\n" + joint * count: refuse_joints(text))
            for count in (10_000, 100_000)
        )
        assert many < 30 * few, "not the square of their number"
    monkeypatch.setattr(bvh, "LARGEST_HIERARCHY", 60)
    with pytest.raises(InputError, match="line 5"):
        read_bvh(TEXT, "a")
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_TRANSFORMS", 3)
    with pytest.raises(InputError, match="2 frames of 2 joints are more than 3"):
        read_bvh(TEXT, "a")
    monkeypatch.setattr(limits, "LARGEST_TEXT", 100)
    with pytest.raises(InputError, match="of text; cut it"):
        read_bvh(TEXT, "a")


def test_deep_nesting() -> None:
    joints = "".join(f"JOINT j{i} {{ OFFSET 0 1 0 CHANNELS 1 Xrotation\n" for i in range(2000))
    text = f"HIERARCHY\n{joints}{'}' * 2000}\nMOTION\nFrames: 1\nFrame Time: 0.1\n{'0 ' * 2000}"
    take = read_bvh(text, "a")
    np.testing.assert_allclose(take.positions[0, -1], [0, 2000, 0])


@settings(max_examples=60)
@given(st.data())
def test_damage_is_an_input_error(data: st.DataObject) -> None:
    content = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        take = read_bvh(bytes(content), "a")
    except InputError:
        return
    assert np.isfinite(take.positions).all()


@pytest.mark.slow
def test_speed() -> None:
    joints = [BvhJoint(f"j{i}", i - 1, (0, 1, 0), FULL[3:]) for i in range(60)]
    text = bvh_text(joints, np.round(np.random.default_rng(0).normal(0, 40, (4000, 180)), 3))
    words = text[text.index("Frame Time:") :].split()[3:]
    assert len(words) == 4000 * 180
    alone = processor_time(lambda: np.array(list(map(float, words))))
    assert processor_time(lambda: read_bvh(text, "a")) < 15 * alone
