"""The domain of portraits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.data.pictures import read_pictures
from ganassets.training.networks import fit_linear
from ganassets_faces.portraits import SPEC
from ganassets_faces.portraits.domain import LEAST_ALPHA, PicturesDomain, area_means, shown_size
from support.sprites import write_sprites

TINY = replace(SPEC.presets[0], size=32, network_size=32, components=6, z_dim=8)


def make(folder: Path, **options: str) -> tuple:
    """Samples, and the domain fitted to them."""
    data = SPEC.dataset(TINY, {"data": str(folder), **options}, 0, lambda done, total: None)
    return data, SPEC.domain(TINY, fit_linear(data, TINY.z_dim, TINY.components, np.random.default_rng(0)))


def finish(data, domain: PicturesDomain) -> torch.Tensor:
    signals, _, conditions = data.batch(np.arange(len(data)))
    raw = {name: torch.from_numpy(array) for name, array in signals.items()}
    return domain.finish(raw, torch.from_numpy(conditions))["picture"]


@pytest.mark.parametrize(("opaque", "channels"), [(True, 3), (False, 4)])
def test_domain_matches_the_spec(tmp_path: Path, opaque: bool, channels: int) -> None:
    data, domain = make(write_sprites(tmp_path / "art", opaque=opaque))
    assert domain.signals == {"colour": channels} and domain.view_channels == channels
    assert domain.wraps == SPEC.wraps and domain.size == domain.network_size == 32
    assert domain.linear is not None and domain.linear.width == 5, "a third of the pictures at most"
    signals, _, _ = data.batch(np.arange(4))
    view = domain.view({name: torch.from_numpy(array) for name, array in signals.items()})
    assert view.shape == (4, channels, 32, 32) and -2.001 < view.min() < 0 < view.max() < 2.001


def test_pictures_keep_their_shape_and_colours(tmp_path: Path) -> None:
    folder = write_sprites(tmp_path / "art")
    data, domain = make(folder)
    picture = finish(data, domain)
    assert picture.shape == (16, 4, 32, 24) and picture.min() >= 0 and picture.max() <= 1
    straight = read_pictures(folder, 32).pixels / 255
    # Where a whole row of pixels is one colour, shrinking changes nothing.
    np.testing.assert_allclose(picture[:, :, -1, 12], straight[:, :, -1, 16], atol=0.01)
    assert (picture[:, 3, -1, 0] == 0).all() and (picture[:, :3, -1, 0] == 0).all()


def test_square_pictures_are_unchanged(tmp_path: Path) -> None:
    data, domain = make(write_sprites(tmp_path / "art", opaque=True), crop="centre")
    np.testing.assert_allclose(finish(data, domain), data.signals["colour"] / 255, atol=1e-6)


def test_outputs_are_clamped(tmp_path: Path) -> None:
    _, domain = make(write_sprites(tmp_path / "art"))
    raw = 5 * torch.randn(3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    picture = domain.finish({"colour": raw}, torch.zeros(3, 2))["picture"]
    assert picture.min() == 0 and picture.max() == 1 and picture.isfinite().all()


def test_colours_are_divided_by_alpha(tmp_path: Path) -> None:
    _, domain = make(write_sprites(tmp_path / "art"), crop="centre")
    raw = torch.zeros(1, 4, 32, 32)
    raw[0, :3], raw[0, 3, 0] = 0.1, torch.linspace(0, 1, 32)
    red, alpha = domain.finish({"colour": raw}, torch.zeros(1, 2))["picture"][0, [0, 3], 0]
    np.testing.assert_allclose(red, (0.1 / alpha.clamp_min(LEAST_ALPHA)).clamp(max=1), rtol=1e-5)


@given(st.integers(8, 256), st.floats(0.25, 4))
def test_the_longer_side_is_the_size(size: int, aspect: float) -> None:
    height, width = shown_size(size, aspect)
    assert max(height, width) == size
    assert abs(width - height * aspect) <= 0.5 + max(aspect, 1) * 0.5


@given(st.integers(1, 64), st.data())
def test_shrinking_takes_means(old: int, data: st.DataObject) -> None:
    new = data.draw(st.integers(1, old))
    weights = area_means(old, new)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.sum(0), new / old, atol=1e-5)  # every sample counts the same
    assert weights.shape == (new, old) and weights.min() >= 0
