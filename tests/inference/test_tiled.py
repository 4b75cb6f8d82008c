"""A map computed in windows is the same as in one piece."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ganassets.inference.tiled import FloatArray, run_in_windows, spans

CELLS = st.integers(1, 12)
STRIDES = st.sampled_from([1, 2, 4, 16])
WINDOWS = st.integers(1, 300)
REACHES = st.integers(0, 90)


@given(CELLS, STRIDES, WINDOWS, REACHES)
def test_spans_cover_every_sample_once_on_strides(cells: int, stride: int, window: int, reach: int) -> None:
    length = cells * stride
    made = spans(length, window, stride, reach)
    assert [i for span in made for i in range(span.start, span.stop)] == list(range(length))
    for span in made:
        assert span.start % stride == span.stop % stride == span.margin % stride == 0
    if len(made) > 1:
        assert all(span.margin >= reach for span in made)


@given(CELLS, STRIDES, WINDOWS, REACHES)
def test_windows_are_no_larger_than_asked_or_needed(cells: int, stride: int, window: int, reach: int) -> None:
    made = spans(cells * stride, window, stride, reach)
    computed = max(span.stop - span.start + 2 * span.margin for span in made)
    smallest = stride + 2 * -(-reach // stride) * stride
    assert computed <= max(window, smallest)
    assert computed <= cells * stride, "never more than the whole"


def test_a_window_that_holds_the_whole_is_the_only_one() -> None:
    (span,) = spans(64, 64, 16, 40)
    assert (span.start, span.stop, span.margin) == (0, 64, 0)
    assert len(spans(512, 256, 16, 40)) == 4  # 160 samples each, 48 on both sides


def circular_mean(maps: FloatArray, reach: int) -> FloatArray:
    """Mean over `reach` samples in both directions of every axis but the first two, wrapping; then squared."""
    for axis in range(2, maps.ndim):
        maps = np.stack([np.roll(maps, shift, axis) for shift in range(-reach, reach + 1)]).mean(0, np.float32)
    return np.square(maps)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=2),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 30),
    st.integers(0, 6),
)
def test_windows_equal_the_whole(cells: list[int], stride: int, window: int, reach: int) -> None:
    size = [count * stride for count in cells]
    noise = np.random.default_rng(0).normal(size=(2, 3, *size)).astype(np.float32)

    def run(part: FloatArray) -> Mapping[str, FloatArray]:
        assert part.flags.c_contiguous and all(side % stride == 0 for side in part.shape[2:])
        mean = circular_mean(part, reach)
        return {"mean": mean, "first": mean[:, :1] + 1}

    found = run_in_windows(run, noise, window, stride, reach)
    assert found.keys() == {"mean", "first"}
    for name, expected in run(noise).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_a_reach_that_is_too_short_shows() -> None:
    """Check that the test above detects margins that are one sample too small."""
    noise = np.random.default_rng(0).normal(size=(1, 1, 64)).astype(np.float32)

    def run(part: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": circular_mean(part, 3)}

    assert np.abs(run_in_windows(run, noise, 16, 1, 2)["mean"] - run(noise)["mean"]).max() > 1e-3
