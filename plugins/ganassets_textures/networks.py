"""The generator of painted materials: from the noise map, with weights of its own for each class of materials.

The noise map holds the geometry: joints, cells, blocks, streaks, and white noise, whose averages the generator computes
at halving sizes. From the coarsest size to the finest a level adds its share of the noise map and transforms it. All
levels are joined by interpolation, so no lattice of their cells shows.

Most of what a material does with the noise happens within a texel. Convolutions of one texel therefore mix the matrices
of the classes by their shares, which costs no time per texel. Convolutions of 3 x 3 texels are shared by all classes.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganassets.api.spec import Preset
from ganassets.training.networks import (
    BaseDiscriminator,
    BaseGenerator,
    Discriminator,
    Domain,
    NetworkSettings,
)
from ganassets.training.networks.layers import (
    Conv,
    Dense,
    downsample,
    leaky,
    named_parts,
    smooth_upsample,
    wrap_pad,
)

from .exemplars.domain import ExemplarDomain
from .exemplars.networks import make_exemplar_generator
from .materials import CLASSES

STYLE_GAIN = 0.3
SLOPE = 0.2  # of the leaky ReLUs
GAIN = 1.4  # gain of weights that keeps the variance through a leaky ReLU
# Blocks that mix channels within a texel, at the finest level.
POINT_BLOCKS = 2


def material_networks(
    preset: Preset, domain: Domain, settings: NetworkSettings
) -> tuple[BaseGenerator, BaseDiscriminator]:
    """Build the networks for the domain of the data: of exemplars, or of painted materials."""
    del preset
    if isinstance(domain, ExemplarDomain):
        return make_exemplar_generator(domain, settings), Discriminator(domain, settings)
    return MaterialGenerator(domain, settings), Discriminator(domain, settings)


class ClassDense(nn.Module):
    """Linear layer whose matrix is shared, plus one of each class, mixed by the classes' shares."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = 1.0) -> None:
        super().__init__()
        self.shape = (inputs, outputs)
        self.shared = nn.Parameter(torch.randn(inputs * outputs) * (gain / math.sqrt(inputs)))
        self.own = nn.Parameter(torch.randn(len(CLASSES), inputs * outputs) * (0.5 * gain / math.sqrt(inputs)))
        self.bias = nn.Parameter(torch.zeros(len(CLASSES), outputs))

    def mixed(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (n, outputs, inputs) matrices and (n, outputs, 1) offsets of (n, classes) shares."""
        inputs, outputs = self.shape
        weight = (self.shared + shares @ self.own).reshape(-1, outputs, inputs)
        return weight, (shares @ self.bias)[..., None]

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """Map (n, inputs) to (n, outputs) under (n, classes) shares."""
        weight, bias = self.mixed(shares)
        return (weight @ x[..., None] + bias)[..., 0]


class Mixer(nn.Module):
    """Mix the channels of each texel by a ClassDense, to which w gives scales of the inputs and an offset."""

    def __init__(self, inputs: int, outputs: int, w_dim: int = 0, *, gain: float = 1.0) -> None:
        super().__init__()
        self.dense = ClassDense(inputs, outputs, gain=gain)
        self.style = Dense(w_dim, inputs + outputs, gain=STYLE_GAIN) if w_dim else None

    def forward(self, x: Tensor, w: Tensor, shares: Tensor, base: Tensor | None = None) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h, w), and add the result to a base if there is one."""
        weight, bias = self.dense.mixed(shares)
        if self.style is not None:
            inputs, outputs = self.dense.shape
            style = self.style(w)
            weight = weight * (1 + style.narrow(1, 0, inputs)[:, None])
            bias = bias + style.narrow(1, inputs, outputs)[..., None]
        flat = x.flatten(2)
        mixed = torch.baddbmm(bias if base is None else base.flatten(2), weight, flat)
        return mixed.unflatten(2, x.shape[2:])


class Around(Conv):
    """Convolution over 3 x 3 texels in the memory format of the mixers, which keep each channel together."""

    def __init__(self, channels: int, wraps: tuple[bool, ...]) -> None:
        super().__init__(channels, channels, wraps, gain=GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to the same shape."""
        return functional.conv2d(wrap_pad(x, self.wraps, self.reach), self.conv.weight.contiguous(), self.conv.bias)


class PaintBlock(nn.Module):
    """Residual block of two mixers; a wide one has a convolution over 3 x 3 texels between them."""

    def __init__(self, channels: int, w_dim: int, wraps: tuple[bool, ...], *, wide: bool) -> None:
        super().__init__()
        self.first = Mixer(channels, channels, w_dim)
        self.around = Around(channels, wraps) if wide else None
        self.second = Mixer(channels, channels, gain=0.3)

    def forward(self, x: Tensor, w: Tensor, shares: Tensor) -> Tensor:
        """Transform (n, channels, h, w)."""
        y = functional.leaky_relu(self.first(x, w, shares), SLOPE)
        if self.around is not None:
            y = functional.leaky_relu(self.around(y), SLOPE)
        return self.second(y, w, shares, base=x)


class MaterialGenerator(BaseGenerator):
    """Generator of materials of any size.

    w is laid out as in the core's generator: a mapping of (z, condition), z, and the standardised condition. Layer 0
    sets the flat material to which the networks add; each block, in layers 1 and up, reads all of w.
    """

    noise_scale: Tensor

    def __init__(self, domain: Domain, settings: NetworkSettings) -> None:
        super().__init__(domain, settings)
        self.map_first = ClassDense(settings.z_dim + settings.c_dim, settings.w_dim)
        self.map_second = ClassDense(settings.w_dim, settings.w_dim)
        scale = torch.ones(domain.noise_channels, 1, 1)
        scale[: domain.white_channels] = 2.0
        self.register_buffer("noise_scale", scale, persistent=False)
        levels = domain.stride.bit_length()
        channels = [settings.channels(domain.network_size >> level, domain.network_size) for level in range(levels)]
        channels = channels[::-1]
        wraps, w_dim = domain.wraps, self.full_w_dim
        self.entries = nn.ModuleList([Mixer(domain.noise_channels, count, w_dim) for count in channels])
        self.narrow = nn.ModuleList([Mixer(a, b) for a, b in pairwise(channels)])
        self.blocks = nn.ModuleList([PaintBlock(count, w_dim, wraps, wide=True) for count in channels])
        self.points = nn.ModuleList([PaintBlock(channels[-1], w_dim, wraps, wide=False) for _ in range(POINT_BLOCKS)])
        self.to_signals = Mixer(channels[-1], sum(domain.signals.values()), gain=0.1)

    @property
    def full_w_dim(self) -> int:
        """Length of w."""
        return self.settings.w_dim + self.settings.z_dim + self.settings.c_dim

    @property
    def layers(self) -> int:
        """Number of layers that read w: layer 0, then the blocks."""
        return 1 + len(self.blocks) + len(self.points)

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map (n, z_dim), standardised (n, c_dim) and (1,) to (n, w)."""
        shares = self.class_shares(condition)

        def map_latent(latent: Tensor) -> Tensor:
            hidden = leaky(self.map_first(torch.cat([latent, condition], 1), shares))
            return leaky(self.map_second(hidden, shares))

        centre = map_latent(torch.zeros_like(z))
        return torch.cat([centre + truncation * (map_latent(z) - centre), truncation * z, condition], 1)

    def class_shares(self, condition: Tensor) -> Tensor:
        """Return the (n, classes) shares of a standardised condition (n, c_dim)."""
        return self.domain.unstandardise(condition)[:, : len(CLASSES)]

    @property
    def reach(self) -> int:
        """Largest distance, in samples, over which the noise map affects a sample.

        A block and an interpolating doubling reach 1 sample of their level each. One coarsest cell is added, because a
        sample may lie anywhere in its cell.
        """
        strides = [self.domain.stride >> level for level in range(len(self.blocks))]
        return sum(strides) + sum(strides[:-1]) + strides[0]

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples from (n, layers, w) and noise maps."""
        assert noise is not None
        levels = [noise]
        for _ in self.narrow:
            levels.append(downsample(levels[-1]) * self.noise_scale)
        levels.reverse()
        conditions = w[..., -self.settings.c_dim :]
        with self.autocast():
            style, shares = w[:, 1], self.class_shares(conditions[:, 1])
            x: Tensor = self.blocks[0](self.entries[0](levels[0], style, shares), style, shares)
            for i in range(1, len(levels)):
                style, shares = w[:, 1 + i], self.class_shares(conditions[:, 1 + i])
                x = smooth_upsample(self.narrow[i - 1](x, style, shares), self.domain.wraps)
                x = self.blocks[i](self.entries[i](levels[i], style, shares, x), style, shares)
            for i, block in enumerate(self.points, start=1 + len(levels)):
                x = block(x, w[:, i], self.class_shares(conditions[:, i]))
            shares = self.class_shares(conditions[:, -1])
            signals = self.to_signals(functional.leaky_relu(x, SLOPE), w[:, -1], shares)
        residual = named_parts(signals.float(), self.domain.signals)
        return self.domain.centre(residual, self.domain.unstandardise(conditions[:, 0]))
