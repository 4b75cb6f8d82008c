"""Noise maps of a plugin's domain: whole ones, and windows of larger ones."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ganassets.api.errors import PluginError
from ganassets.training.plugin_domain import WINDOWS, make_noise_map, take_windows
from support.domains import NOISE_CHANNELS, make_domain, make_preset, make_spec

LARGE, STRIDE = 24, 4
ROW = np.array([1, 2], np.float32)


class Counted:
    """Makes maps that say where each texel lies, and counts them."""

    def __init__(self) -> None:
        self.made: list[tuple[int, tuple[int, ...]]] = []

    def __call__(self, seed: int, row: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        self.made.append((seed, size))
        return np.stack([*np.meshgrid(*map(np.arange, size), indexing="ij"), np.full(size, seed)]).astype(np.float32)


def windows(counted: Counted, large: int = LARGE) -> Any:
    domain: Any = SimpleNamespace(window_of=large, stride=STRIDE, wraps=(True, True))
    return take_windows(counted, domain)


def test_windows_are_parts_of_one_map_that_wraps():
    counted = Counted()
    window = windows(counted)
    starts = set()
    for seed in range(WINDOWS, 2 * WINDOWS):
        part = window(seed, ROW, (12, 8))
        assert part.shape == (3, 12, 8) and (part[2] == 1).all()
        top, left = int(part[0, 0, 0]), int(part[1, 0, 0])
        assert top % STRIDE == left % STRIDE == 0, "windows start at whole cells"
        np.testing.assert_array_equal(part[0], np.broadcast_to(((top + np.arange(12)) % LARGE)[:, None], (12, 8)))
        np.testing.assert_array_equal(part[1], np.broadcast_to((left + np.arange(8)) % LARGE, (12, 8)))
        starts.add((top, left))
        assert np.array_equal(part, window(seed, ROW, (12, 8)))
    assert len(starts) > WINDOWS / 2
    assert counted.made == [(1, (LARGE, LARGE))], "a large map serves several windows"


def test_other_conditions_have_other_maps():
    counted = Counted()
    window = windows(counted)
    for row in (ROW, ROW + 1, ROW.astype(np.float64)):
        window(3, row, (8, 8))
    assert len(counted.made) == 2


def test_a_window_may_be_larger_than_the_map():
    part = windows(Counted(), 8)(0, ROW, (20, 20))
    assert part.shape == (3, 20, 20) and np.array_equal(part[:2, :8, :8], part[:2, 8:16, 8:16])


def test_the_plugin_gets_the_arrays_of_the_domain(monkeypatch):
    """A function of two kinds: without arrays it takes three arguments, with arrays four."""
    seen: list[Any] = []

    def noise(*arguments: Any) -> np.ndarray:
        seen.append(arguments[3:])
        return np.zeros((NOISE_CHANNELS, *arguments[2]), np.float32)

    spec = replace(make_spec("tile", make_preset(), lambda *_: None), noise=noise)  # pyright: ignore[reportArgumentType]
    domain = make_domain("tile")
    make_noise_map(spec, domain)(1, ROW, (8, 8))
    table = {"table": np.arange(3)}
    monkeypatch.setattr(domain, "model_arrays", lambda: table)
    assert make_noise_map(spec, domain)(1, ROW, (8, 8)).shape == (NOISE_CHANNELS, 8, 8)
    assert seen == [(), (table,)]
    monkeypatch.setattr(domain, "window_of", 16, raising=False)
    assert make_noise_map(spec, domain)(1, ROW, (8, 12)).shape == (NOISE_CHANNELS, 8, 12)


def test_wrong_maps_are_the_plugins_fault():
    spec = replace(
        make_spec("tile", make_preset(), lambda *_: None),  # pyright: ignore[reportArgumentType]
        noise=lambda *arguments: np.zeros((1, 2), np.float32),
    )
    with pytest.raises(PluginError, match="noise"):
        make_noise_map(spec, make_domain("tile"))(1, ROW, (8, 8))
