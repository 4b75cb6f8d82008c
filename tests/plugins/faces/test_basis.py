"""The package data: geometry, rig and expressions of the head basis."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from ganassets_faces import SPEC
from ganassets_faces.basis import EYES, JOINT_PARENTS, JOINTS, MATERIALS, MOUTH, SKIN, basis_digest, load_basis

# ARKit's blend shape locations, in its spelling.
SIDES = ("Left", "Right")
ARKIT = {
    *(f"brow{part}" for part in ("DownLeft", "DownRight", "InnerUp", "OuterUpLeft", "OuterUpRight")),
    *(f"cheek{part}" for part in ("Puff", "SquintLeft", "SquintRight")),
    *(f"eye{what}{s}" for s in SIDES
      for what in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")),
    *(f"jaw{part}" for part in ("Forward", "Left", "Open", "Right")),
    *(f"mouth{what}{s}" for s in SIDES
      for what in ("Dimple", "Frown", "LowerDown", "Press", "Smile", "Stretch", "UpperUp", "")),
    *(f"mouth{part}" for part in ("Close", "Funnel", "Pucker", "RollLower", "RollUpper", "ShrugLower", "ShrugUpper")),
    *(f"noseSneer{s}" for s in SIDES),
    "tongueOut",
}  # fmt: skip


def test_shapes_and_indices():
    basis = load_basis()
    v = basis.vertex_count
    assert basis.mean.shape == (v + len(JOINTS), 3) and basis.components.shape[1:] == basis.mean.shape
    assert basis.expressions.shape == (len(basis.expression_names), v, 3)
    assert basis.faces.shape == basis.face_uvs.shape == (len(basis.face_materials), 4)
    assert set(np.unique(basis.faces)) == set(range(v))  # no vertex is loose
    assert set(np.unique(basis.face_uvs)) == set(range(len(basis.uvs)))
    assert set(np.unique(basis.face_materials)) == {SKIN, MOUTH, EYES} and len(MATERIALS) == 3
    assert basis.uvs.min() >= 0 and basis.uvs.max() <= 1
    assert len(JOINT_PARENTS) == len(JOINTS)


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        load_basis().mean[0, 0] = 1


def test_digest_matches_the_file():
    raw = (files("ganassets_faces") / "data" / "head.npz").read_bytes()
    assert basis_digest() == load_basis().digest == hashlib.sha256(raw).hexdigest() == SPEC.static_digests()["head"]


def test_a_head_in_metres():
    basis = load_basis()
    size = np.ptp(basis.mean[: basis.vertex_count], axis=0)
    assert 0.12 < size[0] < 0.25 and 0.2 < size[1] < 0.45 and 0.15 < size[2] < 0.35
    joints: dict[str, np.ndarray] = dict(zip(JOINTS, basis.mean[basis.vertex_count :], strict=True))
    assert joints["neck"][1] < joints["head"][1] < joints["eyeLeft"][1]
    # Y up, facing +Z: the left eye is at +X.
    assert joints["eyeLeft"][0] > 0.02 and joints["eyeLeft"][2] > joints["head"][2]
    np.testing.assert_allclose(joints["eyeRight"], joints["eyeLeft"] * [-1, 1, 1], atol=2e-3)


def test_eyes_surround_their_joints():
    basis = load_basis()
    eyes = basis.mean[np.unique(basis.faces[basis.face_materials == EYES])]
    joints: dict[str, np.ndarray] = dict(zip(JOINTS, basis.mean[basis.vertex_count :], strict=True))
    for side, name in ((1, "eyeLeft"), (-1, "eyeRight")):
        ball = eyes[eyes[:, 0] * side > 0]
        assert np.linalg.norm(ball.mean(0) - joints[name]) < 0.006
        assert (np.linalg.norm(ball - joints[name], axis=1) < 0.025).all()


def test_skin_weights():
    basis = load_basis()
    assert basis.joint_weights.min() >= 0 and basis.joint_indices.max() < len(JOINTS)
    np.testing.assert_allclose(basis.joint_weights.sum(1), 1, atol=1e-5)
    shares = np.zeros((basis.vertex_count, len(JOINTS)))
    np.add.at(shares, (np.arange(basis.vertex_count)[:, None], basis.joint_indices), basis.joint_weights)
    assert (shares.max(0) > 0.85).all()  # each joint holds some vertex nearly alone
    eyes = np.unique(basis.faces[basis.face_materials == EYES])
    sides = np.where(basis.mean[eyes, 0] > 0, JOINTS.index("eyeLeft"), JOINTS.index("eyeRight"))
    assert (shares[eyes, sides] > 0.99).all()


def test_expressions():
    basis = load_basis()
    assert len(basis.expression_names) == len(set(basis.expression_names)) == 52
    moved = np.linalg.norm(basis.expressions, axis=2)
    still = [name for name, most in zip(basis.expression_names, moved.max(1), strict=True) if most <= 0.001]
    assert still == [] and moved.max() < 0.08
    assert {"jawOpen", "eyeBlinkLeft", "mouthSmileRight", "tongueOut", "browInnerUp"} <= set(basis.expression_names)


def test_left_is_left():
    """The left eye's lids are at +X; closing them moves nothing on the other side."""
    basis = load_basis()
    for name, side in (("eyeBlinkLeft", 1), ("eyeBlinkRight", -1), ("mouthSmileLeft", 1), ("mouthSmileRight", -1)):
        offsets = np.linalg.norm(basis.expressions[basis.expression_names.index(name)], axis=1)
        centre = (offsets[:, None] * basis.mean[: basis.vertex_count]).sum(0) / offsets.sum()
        assert centre[0] * side > 0.01, name


def test_jaw_opens_downwards():
    basis = load_basis()
    offsets = basis.expressions[basis.expression_names.index("jawOpen")]
    furthest = offsets[np.argmax(np.linalg.norm(offsets, axis=1))]
    assert furthest[1] < -0.01


def test_samples_have_unit_variance_and_the_basis_size():
    basis = load_basis()
    assert basis.sample_shapes.shape == (len(basis.sample_attributes), len(basis.components))
    np.testing.assert_allclose(basis.sample_shapes.std(0), 1, atol=0.1)
    np.testing.assert_allclose(basis.sample_shapes.mean(0), 0, atol=0.1)
    lows = [low for c in SPEC.conditions for low in [c.low] * c.width]
    highs = [high for c in SPEC.conditions for high in [c.high] * c.width]
    assert (basis.sample_attributes >= lows).all() and (basis.sample_attributes <= highs).all()
    np.testing.assert_allclose(basis.sample_attributes[:, 3:6].sum(1), 1, atol=1e-4)


def test_men_are_larger_than_children():
    basis = load_basis()
    age, sex = basis.sample_attributes[:, 0], basis.sample_attributes[:, 1]

    def height(chosen: np.ndarray) -> float:
        points = basis.points(basis.sample_shapes[chosen][:40])[:, : basis.vertex_count]
        return float(np.ptp(points[..., 1], axis=1).mean())

    assert height((age > 25) & (sex > 0.8)) > height(age < 10) + 0.01


def test_expressions_are_arkits():
    assert set(load_basis().expression_names) == ARKIT


def test_mean_is_symmetric():
    """Mirrored vertices fall on vertices, to a millimetre: heads are a little asymmetric, their mean is not."""
    from scipy.spatial.distance import cdist

    points = load_basis().mean[: load_basis().vertex_count]
    distance = cdist(points * [-1, 1, 1], points).min(1)
    assert np.sqrt((distance**2).mean()) < 0.001 and distance.max() < 0.005


def test_no_quad_is_degenerate():
    assert all(len(set(quad)) == 4 for quad in load_basis().faces.tolist())


def test_conditions_stand_in_the_order_of_the_attributes():
    columns = [column for condition in SPEC.conditions for column in condition.columns]
    assert columns == ["age", "sex", "weight", "ancestry:african", "ancestry:asian", "ancestry:european", "skin_tone"]


def test_attributes_show_in_the_shapes():
    """A regression predicts age, sex, weight and ancestry of heads that it was not fitted to."""
    basis = load_basis()
    x = np.column_stack([basis.sample_shapes, np.ones(len(basis.sample_shapes))])
    fitted, rest = x[:1000], x[1000:2000]
    for column in range(6):
        y = basis.sample_attributes[:, column]
        read = rest @ np.linalg.lstsq(fitted, y[:1000], rcond=None)[0]
        assert np.corrcoef(read, y[1000:2000])[0, 1] > 0.5, column
