"""Points under texels, and the fade at the borders of the skin."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets_faces import SPEC
from ganassets_faces.basis import NECK_STRIP, SKIN, load_basis
from ganassets_faces.texels import barycentric, border_fade, texel_map

SIZES = pytest.mark.parametrize("size", [32, 64, 128])


def centres(size: int) -> np.ndarray:
    """Return (size, size, 2) texture coordinates of texel centres, origin upper left."""
    axis = (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(axis, axis), -1)


@SIZES
def test_texture_coordinates_match_the_texels(size):
    texels = texel_map(size)
    found = texels.interpolate_uv(load_basis().uvs)
    assert np.abs(found - centres(size))[texels.inside].max() < 1e-4
    assert 0.5 < texels.inside.mean() < 1


@SIZES
def test_weights_are_barycentric(size):
    texels = texel_map(size)
    assert texels.weights.shape == (size * size, 3) and texels.weights.min() >= -1e-5
    np.testing.assert_allclose(texels.weights.sum(1), 1, atol=1e-5)


def test_outside_takes_the_nearest_texel_inside():
    texels = texel_map(64)
    points = texels.interpolate(load_basis().mean)
    rows, columns = np.nonzero(texels.inside)
    for row, column in np.argwhere(~texels.inside)[::97]:
        distance = (rows - row) ** 2 + (columns - column) ** 2
        nearest = distance == distance.min()
        near = points[rows[nearest], columns[nearest]]
        assert np.abs(near - points[row, column]).max(1).min() < 1e-6


def test_texels_lie_on_skin_alone():
    basis, texels = load_basis(), texel_map(64)
    skin = np.unique(basis.faces[basis.face_materials == SKIN])
    assert np.isin(texels.vertices, skin).all()


def test_neighbours_on_the_picture_are_neighbours_on_the_head():
    texels = texel_map(128)
    points = texels.interpolate(load_basis().mean)
    step = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    both = texels.inside[:, 1:] & texels.inside[:, :-1]
    assert np.median(step[both]) < 0.006 and np.quantile(step[both], 0.99) < 0.02


def test_barycentric_of_corners_and_of_a_line():
    triangle = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]])
    np.testing.assert_allclose(barycentric(triangle, triangle), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(barycentric(triangle, np.array([2.0, 1.0])), [0, 0.5, 0.5], atol=1e-12)
    assert (barycentric(np.zeros((3, 2)), np.zeros((5, 2))) == -1).all()


@SIZES
def test_fade_is_zero_outside_and_at_the_border(size):
    fade, inside = border_fade(size), texel_map(size).inside
    assert fade.min() == 0 and fade.max() == 1
    assert (fade[[0, -1]] == 0).all() and (fade[:, [0, -1]] == 0).all()
    assert (fade[int(NECK_STRIP * size) :] == 0).all()
    # Outside the island but for the holes of eyes and mouth: what is reached from the picture's border.
    from scipy.ndimage import label

    regions, _ = label(~np.pad(inside, 1))  # pyright: ignore[reportGeneralTypeIssues]
    outside = (regions == regions[0, 0])[1:-1, 1:-1]
    assert (fade[outside] == 0).all()
    rows, columns = np.nonzero(inside & near(outside))
    assert (fade[rows, columns] == 0).all()


def near(region: np.ndarray) -> np.ndarray:
    """Texels beside a region, across an edge."""
    padded = np.pad(region, 1, constant_values=True)
    return padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]


@SIZES
def test_nothing_fades_inside_the_face(size):
    """Nothing fades at the corners of the mouth, the eyelids and the tip of the nose."""
    basis, fade = load_basis(), border_fade(size)
    for name in ("mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight", "noseSneerLeft"):
        offsets = np.linalg.norm(basis.expressions[basis.expression_names.index(name)], axis=1)
        skin = basis.face_materials == SKIN
        corner = np.argmax(np.where(np.isin(basis.faces[skin], np.argsort(offsets)[-8:]), 1, 0).ravel())
        u, v = basis.uvs[basis.face_uvs[skin].ravel()[corner]]
        assert fade[int(v * size), int(u * size)] == 1, name


@SIZES
def test_fade_is_smooth(size):
    fade = border_fade(size)
    # Twice the mean slope at most: it is a cubic step over 6 % of the picture.
    assert max(np.abs(np.diff(fade, axis=axis)).max() for axis in (0, 1)) < max(2 / (0.06 * size), 0.2)


@pytest.mark.parametrize("size", sorted({preset.size for preset in SPEC.presets}))
def test_nothing_is_painted_on_the_seam(size):
    """A point on the cut has two places in the texture; the networks add nothing at either."""
    basis, fade = load_basis(), border_fade(size)
    skin = basis.face_materials == SKIN
    pairs = np.unique(np.column_stack([basis.faces[skin].ravel(), basis.face_uvs[skin].ravel()]), axis=0)
    vertices, places = np.unique(pairs[:, 0], return_counts=True)
    cut = pairs[np.isin(pairs[:, 0], vertices[places > 1]), 1]
    assert len(cut) > 40
    # As a texture is read: from the four texels around a place.
    corner = np.floor(basis.uvs[cut] * size - 0.5).astype(int)
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = np.clip(corner + np.array([dx, dy]), 0, size - 1).T
        assert (fade[row, column] == 0).all()
