"""Skin textures as targets of an inversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganassets.api.errors import GanassetsError, InputError
from ganassets_faces import SPEC, target
from ganassets_faces.target import SIZE, flatten_skins, skin_target
from ganassets_faces.texels import texel_map
from support.heads import make_head


def skin(path: Path, colour: tuple[int, int, int], width: int = 300) -> Path:
    """A body texture of one colour."""
    Image.new("RGB", (width, width), colour).save(path)
    return path


def test_a_skin_of_one_colour(tmp_path):
    found = skin_target(skin(tmp_path / "a.png", (200, 150, 100)))
    count = int(texel_map(SIZE).inside.sum())
    expected = found.reference.reshape(3, count)
    np.testing.assert_allclose(expected, np.broadcast_to([[200], [150], [100]], expected.shape), atol=1e-3)
    assert (found.unit, found.exact, found.size, found.settings, found.conditions) == ("of 255", True, None, {}, {})


def test_heads_are_compared_by_their_skin_alone(tmp_path):
    found = skin_target(skin(tmp_path / "a.png", (200, 150, 100)))
    heads = [make_head(1), make_head(2)]
    features = found.features(heads)
    assert features.shape == (2, len(found.reference)) and features.dtype == np.float32
    albedo = heads[0].materials[0].albedo
    assert albedo is not None and len(albedo) == 2 * SIZE
    row, column = (int(axis[40]) for axis in np.nonzero(texel_map(SIZE).inside))
    block = albedo[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(4, 3)
    np.testing.assert_allclose(features[0].reshape(3, -1)[:, 40], block.mean(0), atol=1e-3)


def test_same_texels_match_at_every_size():
    """Equal texels compare as equal at any size."""
    inside = texel_map(SIZE).inside
    fine, coarse = (make_head(3, size).materials[0].albedo for size in (128, 64))
    assert fine is not None and coarse is not None
    whole, half = flatten_skins([make_head(3)], inside), flatten_skins([make_head(3, 64)], inside)
    np.testing.assert_allclose(half[0].reshape(3, -1).mean(1), whole[0].reshape(3, -1).mean(1), atol=3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"nothing", "not a picture that can be read"),
        ("a.png", b"", "not a picture that can be read"),
        ("gone.png", None, "gone.png"),
    ],
)
def test_files_that_are_not_skins(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="can't be used: ") as caught:
        skin_target(path)
    assert message in str(caught.value) and not str(caught.value).endswith("..")


def test_small_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="only 100 x 100 pixels"):
        skin_target(skin(tmp_path / "a.png", (1, 2, 3), 100))


def test_missing_scipy_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(target, "find_spec", lambda name: None)
    with pytest.raises(GanassetsError, match=r'pip install "ganassets\[train\]"'):
        skin_target(skin(tmp_path / "a.png", (1, 2, 3)))


def test_spec_has_the_target(tmp_path):
    assert SPEC.target
    path = skin(tmp_path / "a.png", (9, 9, 9))
    np.testing.assert_array_equal(SPEC.target(path).reference, skin_target(path).reference)
