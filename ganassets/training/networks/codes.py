"""A generator with a learned code for each training sample (an auto-decoder), for data sets of few samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .base import BaseGenerator, NetworkSettings
from .domain import Domain
from .generator import BASE_SIZE, STYLE_GAIN
from .layers import Conv, Dense, leaky, named_parts, upsample
from .linear import RANK_TOLERANCE, flatten_samples

# Parts of z and of w: one for the shape of a sample, one for its style.
PARTS = 2
# Inverse temperatures of the softmax that mixes codes of shape and of style. At 5, the first of 80 codes gets about
# half of the weight. A mixture of two shapes is often neither, so nearly all samples take the shape of one code.
SHARPNESS = (20.0, 5.0)
# Difference of logits between codes of the requested label and codes of others.
LABEL_WEIGHT = 60.0
# Learning rate of the codes by that of the networks.
CODE_RATE = 3.0
# Gain of the second convolution of a block, and of the last layer, when untrained.
BLOCK_GAIN, LAST_GAIN = 0.3, 0.1
# Largest factor that restores the length of a mixed code, which is shorter than the codes in it.
MOST_STRETCH = 2.5
# Size to which samples are reduced for their principal axes, and spread of the numbers of a code beyond these axes.
SCORED_SIZE, REST_SPREAD = 32, 0.1
TINY = 1e-6


def draw_keys(count: int, z_dim: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the (count, z_dim) keys of codes: latents, each part of which has the typical length of a normal one."""
    parts = rng.normal(size=(count, PARTS, z_dim // PARTS))
    parts *= math.sqrt(z_dim // PARTS) / np.linalg.norm(parts, axis=2, keepdims=True)
    return parts.reshape(count, -1).astype(np.float32)


def principal_scores(signals: Sequence[NDArray], width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return (n, width) codes to start from: the samples' scores on their principal axes, of unit variance.

    Codes of similar samples are near each other then, and samples are reproduced in half the time.

    Args:
        signals: (n, channels, *size) arrays of the same samples.
        width: Numbers in a code; small normals follow the scores where samples have fewer axes.
        rng: Random state.
    """
    flat = np.concatenate([flatten_samples(a, max(a.shape[-1] // SCORED_SIZE, 1)) for a in signals], 1)
    flat -= flat.mean(0)
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    order = [i for i in np.argsort(values)[::-1][:width] if values[i] > RANK_TOLERANCE * values.max()]
    codes = REST_SPREAD * rng.normal(size=(len(flat), width))
    codes[:, : len(order)] = vectors[:, order] * math.sqrt(len(flat))
    return codes.astype(np.float32)


class StyledBlock(nn.Module):
    """Residual block of two convolutions, whose input is scaled and shifted channel by channel by a style."""

    def __init__(self, channels: int, wraps: tuple[bool, ...], code_dim: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels, wraps)
        self.second = Conv(channels, channels, wraps, gain=BLOCK_GAIN)
        self.style = Dense(code_dim, 2 * channels, gain=STYLE_GAIN)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Transform (n, channels, *size) by (n, code_dim)."""
        style = self.style(code)
        scale, shift = style.reshape(*style.shape, *[1] * (x.ndim - 2)).to(x.dtype).chunk(2, 1)
        return x + self.second(leaky(self.first(leaky(x) * (1 + scale) + shift)))


class CodeGenerator(BaseGenerator):
    """A generator that mixes learned codes of training samples.

    Each sample with a code has two, of its shape and of its style. z holds two parts too; each is compared with the
    keys of the samples, and a softmax of the similarities mixes their codes, within the requested label. So the key of
    a sample reproduces it, and a random z gives a mixture of few samples: the shape mostly of one, the style mostly of
    another. Truncation pulls the weights of the mixture towards even ones.

    Source: Bojanowski et al. (2018), "Optimizing the Latent Space of Generative Networks"; the keys are ours.

    Args:
        domain: Domain of a fixed size with keys and without vectors.
        settings: Sizes; w_dim is the length of both codes together.
    """

    sample_parameters = ("shape_codes", "style_codes")

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        super().__init__(domain, settings)
        assert domain.size is not None
        self.code_dim = settings.w_dim // PARTS
        full = domain.network_size
        # Adam moves every parameter by about its rate, so codes that are stored smaller learn faster.
        self.shape_codes = nn.Parameter(domain.start_codes / CODE_RATE)
        self.style_codes = nn.Parameter(domain.start_codes / CODE_RATE)
        size, axes = BASE_SIZE, len(domain.wraps)
        channels = settings.channels(size, full)
        self.start_shape = (channels, *[size] * axes)
        self.start = Dense(self.code_dim, channels * size**axes)
        self.blocks = nn.ModuleList([StyledBlock(channels, domain.wraps, self.code_dim)])
        self.narrow = nn.ModuleList()
        # The last layer makes all samples of a doubling at once, which halves the time of a step.
        while size < full // 2:
            size *= 2
            following = settings.channels(size, full)
            self.narrow.append(Conv(channels, following, domain.wraps, 1) if following != channels else nn.Identity())
            channels = following
            self.blocks.append(StyledBlock(channels, domain.wraps, self.code_dim))
        self.factor = domain.size // size
        self.to_signals = Conv(channels, self.factor**axes * sum(domain.signals.values()), domain.wraps, gain=LAST_GAIN)

    @property
    def full_w_dim(self) -> int:
        """Length of w: the code of the shape, then the code of the style."""
        return PARTS * self.code_dim

    @property
    def layers(self) -> int:
        """Number of layers that read w: the start and the first block read the shape, the other blocks the style."""
        return 1 + len(self.blocks)

    def similarities(self, z: Tensor) -> list[Tensor]:
        """Return (n, k) logits of the codes by part, for (n, z_dim) latents."""
        half = z.shape[1] // PARTS
        parts = [slice(part * half, (part + 1) * half) for part in range(PARTS)]
        scaled = zip(parts, SHARPNESS, strict=True)
        return [sharpness / math.sqrt(half) * z[:, part] @ self.domain.keys[:, part].T for part, sharpness in scaled]

    def label_logits(self, condition: Tensor) -> Tensor:
        """Return (n, k) logits of the codes by their labels, for (n, c_dim) standardised conditions."""
        if self.settings.c_dim:
            return LABEL_WEIGHT * self.domain.unstandardise(condition) @ self.domain.key_conditions.T
        return self.shape_codes.new_zeros(1, len(self.shape_codes))

    def mix_codes(self, codes: Tensor, weights: Tensor) -> Tensor:
        """Return (n, code_dim) mixtures of codes with (n, k) weights; they are as long as the codes in them."""
        mixed = weights @ codes
        length = (weights @ codes.square().sum(1, keepdim=True) + TINY).sqrt()
        stretch = length / (mixed.square().sum(1, keepdim=True) + TINY).sqrt()
        return CODE_RATE * stretch.clamp(max=MOST_STRETCH) * mixed

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map (n, z_dim), standardised (n, c_dim) and (1,) to (n, w)."""
        labels = self.label_logits(condition)
        even = labels.softmax(1)
        parts = zip((self.shape_codes, self.style_codes), self.similarities(z), strict=True)
        mixtures = [
            self.mix_codes(codes, even + truncation * ((logits + labels).softmax(1) - even)) for codes, logits in parts
        ]
        return torch.cat(mixtures, 1)

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples from (n, layers, w)."""
        del noise
        shape, style = w[..., : self.code_dim], w[..., self.code_dim :]
        with self.autocast():
            x = self.start(shape[:, 0]).reshape(-1, *self.start_shape)
            x = self.blocks[0](x, shape[:, 1])
            for i, narrow in enumerate(self.narrow, start=1):
                x = self.blocks[i](upsample(narrow(x)), style[:, 1 + i])
            signals = self.to_signals(leaky(x)).float()
        signals = functional.pixel_shuffle(signals, self.factor)
        condition = self.domain.condition_mean.expand(w.shape[0], -1)
        return self.domain.centre(named_parts(signals, self.domain.signals), condition)
