"""Reading motion of the DeepMimic humanoid."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import to_matrix
from ganassets_poses.readers import limits, read_humanoid
from support.motion_files import humanoid_text, turn_matrix


def edited(**columns: list[float] | float) -> str:
    """The standing figure with values from a column on: c24=..."""
    document = json.loads(humanoid_text())
    for row in document["Frames"]:
        for name, values in columns.items():
            start = int(name[1:])
            values = [values] if isinstance(values, (int, float)) else values
            row[start : start + len(values)] = values
    return json.dumps(document)


def test_standing() -> None:
    take, loops = read_humanoid(humanoid_text().encode(), "stand")
    assert loops and take.fps == 30 and len(take.positions) == 3 and len(take.names) == 15
    np.testing.assert_allclose(take.positions[:, 0], [[i / 30, 0.9, 0] for i in range(3)])
    place = dict(zip(take.names, take.positions[0], strict=True))
    assert place["right_ankle"][1] == pytest.approx(0.9 - 0.831416) and place["neck"][1] > 1.3
    assert place["right_wrist"][2] > 0 > place["left_wrist"][2] and place["right_wrist"][1] < place["right_elbow"][1]
    np.testing.assert_allclose(take.rest_positions, take.positions[0] - np.array([0, 0.9, 0]), atol=1e-12)
    assert not read_humanoid(humanoid_text(loop="none"), "stand")[1]


@pytest.mark.parametrize(
    ("columns", "joint", "angle"),
    [
        ({"c20": -0.5}, "right_knee", -0.5),
        ({"c29": 0.5}, "right_elbow", 0.5),
        ({"c34": -0.5}, "left_knee", -0.5),
        ({"c43": 0.5}, "left_elbow", 0.5),
        ({"c16": [np.cos(0.25), 0, 0, np.sin(0.25)]}, "right_hip", 0.5),
        ({"c39": [-np.cos(0.25), 0, 0, -np.sin(0.25)]}, "left_shoulder", 0.5),
        ({"c8": [2 * np.cos(0.25), 0, 0, 2 * np.sin(0.25)]}, "chest", 0.5),
    ],
)
def test_each_joint_has_its_columns(columns: dict[str, float], joint: str, angle: float) -> None:
    take, _ = read_humanoid(edited(**columns), "bent")
    turned = {name for name, turn in zip(take.names, take.rotations[0], strict=True) if abs(turn[3]) < 0.999}
    index = take.names.index(joint)
    below = {index}
    for child, parent in enumerate(take.parents):  # parents stand before their children
        below |= {child} if parent in below else set()
    assert turned == {take.names[i] for i in below}
    expected = turn_matrix("Z", np.degrees(angle))
    np.testing.assert_allclose(to_matrix(take.rotations[0, index]), expected, atol=1e-9)


def test_knees_bend_backwards_and_elbows_forwards() -> None:
    take, _ = read_humanoid(edited(c20=-1.0, c43=1.0), "bent")
    place = dict(zip(take.names, take.positions[0], strict=True))
    assert place["right_ankle"][0] < place["right_knee"][0] - 0.3, "it faces +X"
    assert place["left_wrist"][0] > place["left_elbow"][0] + 0.2


def test_uneven_frames_are_made_even() -> None:
    document = json.loads(humanoid_text(5))
    document["Frames"][1][0] = 2 / 30
    for row, seconds in zip(document["Frames"], (0, 1 / 30, 3 / 30, 4 / 30, 5 / 30), strict=True):
        row[1] = seconds
    take, _ = read_humanoid(json.dumps(document), "uneven")
    assert take.fps == 30
    np.testing.assert_allclose(take.positions[:, 0, 0], np.arange(6) / 30, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON file"),
        ("{", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[]", 'needs "Frames"'),
        ("{}", "rows of 44 numbers"),
        ('{"Frames": [[1, 2], [3]]}', "rows of 44 numbers"),
        ('{"Frames": [[1, 2]]}', "rows of 44 numbers"),
        ('{"Frames": [["a"]]}', "rows of 44 numbers"),
        ('{"Frames": {"a": 1}}', "rows of 44 numbers"),
        ('{"Frames": []}', "rows of 44 numbers"),
        (edited(c5=float("nan")), "not finite"),
        (edited(c5=1e99), "beyond"),
        (edited(c5=10**400).replace("Infinity", "1"), "rows of 44 numbers"),
        (edited(c0=-0.1), "duration is below 0"),
        (edited(c0=0.0), "a frame lasts 0 s"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_humanoid(text, "bad")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="more than 8 MB"):
        read_humanoid(b" " * (2**23 + 1), "large")
    monkeypatch.setattr(limits, "MOST_TRANSFORMS", 30)
    with pytest.raises(InputError, match="3 frames of 15 joints are more than 30"):
        read_humanoid(humanoid_text(), "long")
