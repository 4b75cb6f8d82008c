"""Reading Acclaim files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import to_matrix
from ganassets_poses.readers import limits, read_acclaim
from support.motion_files import AMC, ASF, turn_matrix

METRES = 0.0254 / 0.45


def matrix(x: float, y: float, z: float) -> np.ndarray:
    """First X turns, then Y, then Z."""
    return turn_matrix("Z", z) @ turn_matrix("Y", y) @ turn_matrix("X", x)


def test_joints_sit_where_bones_start() -> None:
    take = read_acclaim(ASF, AMC, "clip")
    assert take.names == ("root", "lfemur", "ltibia", "lfoot") and take.parents == (-1, 0, 1, 2)
    assert take.fps == 120 and len(take.positions) == 2
    expected = np.array([[0, 0, 0], [0, 0, 0], [0, -7, 0], [3, -11, 0]]) * METRES
    np.testing.assert_allclose(take.rest_positions, expected, atol=1e-9)
    np.testing.assert_allclose(take.positions[0], expected + np.array([1, 2, 3]) * METRES, atol=1e-9)
    for rotations in (take.rest_rotations, take.rotations[0]):
        np.testing.assert_allclose(rotations, [[0, 0, 0, 1]] * 4, atol=1e-9)


def test_bones_turn_about_their_own_axes() -> None:
    take = read_acclaim(ASF, AMC, "clip", 30)
    root = matrix(10, 20, 30)
    femur_axis, tibia_axis = matrix(0, 0, 20), matrix(30, 0, 20)
    femur = root @ femur_axis @ matrix(40, 50, 60) @ femur_axis.T
    tibia = femur @ tibia_axis @ matrix(70, 0, 0) @ tibia_axis.T
    for joint, expected in enumerate((root, femur, tibia, tibia)):
        np.testing.assert_allclose(to_matrix(take.rotations[1, joint]), expected, atol=1e-9)
    knee = np.array([1, 2, 3]) + femur @ [0, -7, 0]
    np.testing.assert_allclose(take.positions[1, 2], knee * METRES, atol=1e-9)
    np.testing.assert_allclose(take.positions[1, 3], (knee + tibia @ [3, -4, 0]) * METRES, atol=1e-9)


def test_radians() -> None:
    expected = read_acclaim(ASF, AMC, "clip")
    numbers = AMC.split("2\nroot")[1].split()
    turned = [word if word.isalpha() else str(np.radians(float(word))) for word in numbers[3:]]
    frame = " ".join(["root", *numbers[:3], *turned]).replace(" l", "\nl")
    amc = AMC.split("2\nroot")[0].replace("DEGREES", "RADIANS") + f"2\n{frame}\n"
    np.testing.assert_allclose(read_acclaim(ASF, amc, "clip").positions, expected.positions, atol=1e-9)


def test_ways_of_writing() -> None:
    expected = read_acclaim(ASF, AMC, "clip")
    order = ("lfemur 40 50 60", "lfemur 60 50 40")
    for asf, amc in (
        (ASF.replace("\n", "\r\n"), AMC.replace("\n", "\r\n")),
        (ASF.encode(), AMC.encode()),
        (ASF.replace("  ", "\t"), AMC.replace(" ", "  ")),
        (ASF, AMC.replace("root 1 2 3", "root 1.0e0 2. +3")),
        (ASF.replace("  order TX TY TZ RX RY RZ", "  order RX RY RZ TX TY TZ"),
         AMC.replace("root 1 2 3 0 0 0", "root 0 0 0 1 2 3").replace("root 1 2 3 10 20 30", "root 10 20 30 1 2 3")),
        (ASF.replace("dof rx\n", "dof rx l\n"),
         AMC.replace("ltibia 0", "ltibia 0 0").replace("ltibia 70", "ltibia 70 9")),
    ):  # fmt: skip
        np.testing.assert_allclose(read_acclaim(asf, amc, "clip").positions, expected.positions, atol=1e-9)
    other = read_acclaim(ASF.replace("dof rx ry rz", "dof rz ry rx"), AMC.replace(*order), "clip")
    assert np.abs(other.positions - expected.positions).max() > 0.1, "the first angle named turns first"


@pytest.mark.parametrize(
    ("asf", "amc", "message"),
    [
        ("", AMC, "not an ASF file"),
        ("\0\1", AMC, "not a text file"),
        (ASF.replace(":root", ":rot"), AMC, "not an ASF file"),
        (ASF.replace("length 0.45", "length 0"), AMC, "the length unit should be above 0"),
        (ASF.replace("length 0.45", "length"), AMC, "the length unit should be one number"),
        (ASF.replace("length 7", "length nan"), AMC, "not finite"),
        (ASF.replace("direction 0 -1 0", "direction 0 -1"), AMC, "a bone's direction should be three numbers"),
        (ASF.replace("direction 0 -1 0", "direction 0 1 x"), AMC, "should be numbers, not 'x'"),
        (ASF.replace("20 XYZ", "20 XXZ"), AMC, "should be like XYZ, not 'XXZ'"),
        (ASF.replace("dof rx\n", "dof rw\n"), AMC, "'RW' is not a degree of freedom"),
        (ASF.replace("ltibia lfoot", "ltibia root"), AMC, "'root' in the hierarchy has two parents"),
        (ASF.replace("ltibia lfoot", "ltibia tail"), AMC, "'tail' in the hierarchy is not among the bones"),
        (ASF, "", "the motion has no frames"),
        (ASF, "root 1 2 3 0 0 0", "line 1 of the motion comes before the first frame"),
        (ASF, AMC.replace("ltibia 70\n", ""), "frame 2 of the motion ends before 'ltibia'"),
        (ASF, AMC.replace("lfemur 40 50 60\n", ""), "line 10 of the motion doesn't fit"),
        (ASF, AMC.replace("lfemur 40 50 60", "lfemur 40 50"), "line 10 of the motion doesn't fit"),
        (ASF, AMC.replace("lfemur 0 0 0\n", "lfemur 0 0 0\nlfemur 0 0 0\n"), "line 7 of the motion doesn't fit"),
        (ASF, AMC.replace("lfemur 0 0 0", "tail 0 0 0"), "line 6 of the motion doesn't fit"),
        (ASF, AMC.replace("ltibia 70", "ltibia x"), "line 11 of the motion should hold numbers"),
        (ASF, AMC.replace("ltibia 70", "ltibia inf"), "not finite"),
        (ASF, AMC.replace("ltibia 70", "ltibia 1e9"), "beyond"),
    ],
)  # fmt: skip
def test_bad_files(asf: str, amc: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_acclaim(asf, amc, "clip")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    bones = "begin\nname b\ndirection 0 1 0\nlength 1\nend\n" * 3000
    with pytest.raises(InputError, match="more than 2,048 joints"):
        read_acclaim(ASF.replace(":hierarchy", f"{bones}:hierarchy"), AMC, "clip")
    monkeypatch.setattr(limits, "MOST_TRANSFORMS", 7)
    with pytest.raises(InputError, match="2 frames of 4 joints are more than 7"):
        read_acclaim(ASF, AMC, "clip")


@settings(max_examples=60)
@given(st.data())
def test_damage_is_an_input_error(data: st.DataObject) -> None:
    files = [bytearray(ASF.encode()), bytearray(AMC.encode())]
    for _ in range(data.draw(st.integers(1, 4))):
        content = data.draw(st.sampled_from(files))
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        take = read_acclaim(bytes(files[0]), bytes(files[1]), "clip")
    except InputError:
        return
    assert np.isfinite(take.positions).all()
