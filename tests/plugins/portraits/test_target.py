"""Pictures as targets of an inversion."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Picture
from ganassets.api.errors import InputError
from ganassets_faces.portraits import SPEC
from ganassets_faces.portraits.target import SIZE, picture_target


def pixels(channels: int = 3, size: int = 96) -> np.ndarray:
    """Smooth colours without repetition."""
    row, column = (np.mgrid[:size, :size] + 0.5) / size
    planes = [row, column, 1 - row * column, 0.2 + 0.8 * column][:channels]
    return np.rint(255 * np.stack(planes, -1)).astype(np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
def test_same_picture_matches(tmp_path, channels):
    shown = pixels(channels)
    Image.fromarray(shown).save(tmp_path / "a.png")
    target = picture_target(tmp_path / "a.png")
    other = shown[::-1].copy()
    features = target.features([Picture("a", shown), Picture("b", other)])
    assert features.shape == (2, SIZE * SIZE * 4)
    np.testing.assert_allclose(features[0], target.reference, atol=1e-3)
    assert abs(features[1] - target.reference).max() > 100


def test_sizes_do_not_matter(tmp_path):
    Image.fromarray(pixels(size=480)).save(tmp_path / "a.png")
    features = picture_target(tmp_path / "a.png").features([Picture("a", pixels(size=96))])[0]
    np.testing.assert_allclose(features, picture_target(tmp_path / "a.png").reference, atol=2.5)


def test_transparent_colours_do_not_matter(tmp_path):
    """Colours at alpha 0 are invisible."""
    clear = np.zeros((96, 96, 4), np.uint8)
    Image.fromarray(clear).save(tmp_path / "a.png")
    clear[..., :3] = 200
    target = picture_target(tmp_path / "a.png")
    np.testing.assert_array_equal(target.features([Picture("a", clear)])[0], target.reference)


def test_files_that_are_not_pictures(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    for path in (tmp_path / "a.png", tmp_path / "gone.png"):
        with pytest.raises(InputError, match="can't be used: "):
            picture_target(path)
    assert SPEC.target
