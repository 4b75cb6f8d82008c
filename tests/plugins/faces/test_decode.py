"""Decoding heads."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.api.provenance import Provenance
from ganassets_faces import SPEC
from ganassets_faces.basis import EYES, JOINTS, MATERIALS, SKIN, basis_digest, load_basis
from ganassets_faces.decode import decode_heads, head_normals, head_topology

BASIS = load_basis()


def arrays(n: int = 3, size: int = 32) -> dict[str, np.ndarray]:
    """Outputs of a model for n sampled heads with random skins."""
    points = BASIS.points(BASIS.sample_shapes[:n]).astype(np.float32)
    albedo = np.random.default_rng(0).uniform(0, 1, (n, 3, size, size)).astype(np.float32)
    return {"positions": points[:, : BASIS.vertex_count], "joints": points[:, BASIS.vertex_count :], "albedo": albedo}


def heads(n: int = 3):
    given = arrays(n)
    return decode_heads(given, None, [f"head-{i}" for i in range(n)], [Provenance(seed=i) for i in range(n)], {}), given


def test_heads_are_the_arrays():
    made, given = heads()
    for i, head in enumerate(made):
        assert head.name == f"head-{i}" and head.provenance.seed == i
        assert np.array_equal(head.positions, given["positions"][i])
        assert np.array_equal(head.joints, given["joints"][i])
        skin = head.materials[SKIN].albedo
        assert skin is not None
        np.testing.assert_allclose(skin.transpose(2, 0, 1) / 255, given["albedo"][i], atol=0.5 / 255 + 1e-6)
        assert tuple(material.name for material in head.materials) == MATERIALS


def test_heads_share_their_topology():
    made, _ = heads()
    assert all(head.topology is head_topology() for head in made)
    topology = head_topology()
    assert topology.joint_names == JOINTS and len(topology.morph_names) == 52
    assert topology.skin_weights is not None and topology.skin_weights.sum(1) == pytest.approx(1, abs=1e-6)


def test_normals_are_unit_and_point_outwards():
    made, _ = heads()
    topology = head_topology()
    for head in made:
        np.testing.assert_allclose(np.linalg.norm(head.normals, axis=1), 1, atol=1e-5)
        balls = np.unique(topology.faces[topology.face_materials == EYES])
        for joint, sign in (("eyeLeft", 1), ("eyeRight", -1)):
            ball = balls[topology.skin_joints[balls, 0] == JOINTS.index(joint)]  # pyright: ignore[reportOptionalSubscript]
            away = head.positions[ball] - head.joints[JOINTS.index(joint)]
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            assert ((head.normals[ball] * away).sum(1) > 0.95).all(), sign
        skin = np.unique(topology.faces[topology.face_materials == SKIN])
        middle = head.joints[[JOINTS.index("eyeLeft"), JOINTS.index("eyeRight")]].mean(0) - [0, 0, 0.06]
        # Above the eyes and their lids a head is nearly a ball.
        upper = skin[head.positions[skin, 1] > middle[1] + 0.03]
        assert len(upper) > 50 and ((head.normals[upper] * (head.positions[upper] - middle)).sum(1) > 0).all()


def test_normals_of_a_turned_head_turn_along():
    positions = arrays(1)["positions"]
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    np.testing.assert_allclose(head_normals(positions @ turn), head_normals(positions) @ turn, atol=2e-3)


def test_normals_do_not_depend_on_size_or_place():
    positions = arrays(1)["positions"].astype(np.float64)
    np.testing.assert_allclose(head_normals(positions * 2 + 1), head_normals(positions), atol=1e-5)


def test_heads_do_not_depend_on_their_batch():
    together, given = heads()
    alone = decode_heads({k: v[1:2] for k, v in given.items()}, None, ["head-1"], [Provenance(seed=1)], {})[0]
    np.testing.assert_allclose(alone.normals, together[1].normals, atol=1e-6)
    for one, other in zip(alone.materials, together[1].materials, strict=True):
        assert one.base_colour == other.base_colour
        assert (one.albedo is None) == (other.albedo is None)
        if one.albedo is not None and other.albedo is not None:
            assert np.array_equal(one.albedo, other.albedo)


def test_static_parts_have_digests():
    assert SPEC.static_digests() == {"head": basis_digest()}


def test_no_heads():
    assert decode_heads(arrays(0), None, [], [], {}) == []
