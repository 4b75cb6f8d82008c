"""Building blocks: wrapping axes have no beginning."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganassets.training.networks.layers import (
    Block,
    Conv,
    Dense,
    downsample,
    leaky,
    smooth_upsample,
    upsample,
    wrap_pad,
)

WRAPS = st.sampled_from([(True,), (False,), (True, True), (True, False), (False, True), (False, False)])
SIZES = st.sampled_from([4, 6, 8])
FEW = settings(max_examples=40)


def signal(wraps: tuple[bool, ...], size: int, seed: int, channels: int = 3) -> Tensor:
    """Draw (2, channels, *size) normals; the axes have different lengths."""
    lengths = [size + 2 * axis for axis in range(len(wraps))]
    return torch.randn(2, channels, *lengths, generator=torch.Generator().manual_seed(seed))


def check_rolling(apply: Callable[[Tensor], Tensor], x: Tensor, wraps: tuple[bool, ...], shift: int, factor: float):
    """Rolling the input of a wrapping axis rolls the output by factor times as much."""
    for axis, wrapping in enumerate(wraps, start=2):
        if wrapping:
            expected = torch.roll(apply(x), int(shift * factor), axis)
            torch.testing.assert_close(apply(torch.roll(x, shift, axis)), expected, atol=1e-5, rtol=1e-5)


@FEW
@given(WRAPS, SIZES, st.integers(1, 7), st.integers(0, 99))
def test_conv_rolls(wraps, size, shift, seed):
    layer = Conv(3, 2, wraps).requires_grad_(False)
    x = signal(wraps, size, seed)
    assert layer(x).shape == (2, 2, *x.shape[2:])
    check_rolling(layer, x, wraps, shift, 1)


@FEW
@given(WRAPS, SIZES, st.integers(1, 7), st.integers(0, 99))
def test_block_rolls(wraps, size, shift, seed):
    layer = Block(3, wraps).requires_grad_(False)
    torch.nn.init.normal_(layer.second.conv.weight)
    check_rolling(layer, signal(wraps, size, seed), wraps, shift, 1)


@FEW
@given(WRAPS, SIZES, st.integers(1, 7), st.integers(0, 99))
def test_resampling_rolls(wraps, size, shift, seed):
    x = signal(wraps, size, seed)
    check_rolling(upsample, x, wraps, shift, 2)
    check_rolling(lambda y: smooth_upsample(y, wraps), x, wraps, shift, 2)
    check_rolling(downsample, x, wraps, 2 * shift, 0.5)


@pytest.mark.parametrize("axis", [2, 3])
def test_axes_that_do_not_wrap_have_borders(axis):
    wraps = tuple(a != axis for a in (2, 3))
    layer, x = Conv(3, 2, wraps).requires_grad_(False), signal(wraps, 8, 0)
    assert not torch.allclose(layer(torch.roll(x, 1, axis)), torch.roll(layer(x), 1, axis), atol=1e-3)
    moved = smooth_upsample(torch.roll(x, 1, axis), wraps)
    assert not torch.allclose(moved, torch.roll(smooth_upsample(x, wraps), 2, axis), atol=1e-3)


@FEW
@given(WRAPS, SIZES, st.integers(1, 3))
def test_padding_is_circular(wraps, size, amount):
    x = signal(wraps, size, 0)
    lengths = [n + 2 * amount * w for n, w in zip(x.shape[2:], wraps, strict=True)]
    padded = wrap_pad(x, wraps, amount)
    assert padded.shape[2:] == tuple(lengths)
    for axis, wrapping in enumerate(wraps, start=2):
        index = (torch.arange(padded.shape[axis]) - amount * wrapping) % x.shape[axis]
        x = x.index_select(axis, index)
    assert torch.equal(padded, x)


@FEW
@given(WRAPS, SIZES)
def test_resampling_keeps_what_it_should(wraps, size):
    x = signal(wraps, size, 1)
    assert torch.equal(downsample(upsample(x)), x)
    constant = torch.full_like(x, 0.7)
    torch.testing.assert_close(smooth_upsample(constant, wraps), upsample(constant))


def test_smooth_upsampling_is_linear_interpolation():
    x = torch.randn(1, 2, 6, 5)
    expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(smooth_upsample(x, (False, False)), expected)


def test_a_new_block_is_the_identity():
    block, x = Block(4, (True, True)), torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x, torch.randn(2, 4)), x)


def test_style_scales_the_channels_that_a_block_reads():
    block, x = Block(4, (True, True)).requires_grad_(False), torch.randn(2, 4, 8, 8)
    torch.nn.init.normal_(block.second.conv.weight)
    style = torch.tensor([[0.0, 0.5, -1.0, 2.0], [0.0] * 4])
    added = block(x, style) - x
    expected = block.second(leaky(block.first(leaky(x) * (1 + style)[:, :, None, None])))
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(added[1], block(x)[1] - x[1], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_variance_is_kept():
    torch.manual_seed(0)
    x = torch.randn(256, 64)
    assert math.isclose(float(leaky(x).square().mean()), 1, abs_tol=0.03)
    assert math.isclose(float(Dense(64, 64)(x).var()), 1, abs_tol=0.15)
    maps = torch.randn(8, 32, 12, 12)
    assert math.isclose(float(Conv(32, 32, (True, True))(maps).var()), 1, abs_tol=0.2)
