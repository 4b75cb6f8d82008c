"""Train two packages from PyPI with their networks, losses and defaults, in training steps of our own.

Their trainers can't be imported without CUDA, and read folders. The steps here do the same on any device:
lightweight-gan 1.2.1 (Liu et al. 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image
Synthesis") and stylegan2-pytorch 1.9.0 (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN").
Two changes help them in a short time. By default, they accumulate gradients over several batches; here each batch is a
step. They average weights from step 20,000 on; here the average starts at the beginning.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, TypeVar
from unittest import mock

import torch
from contender import RandomBatches
from images import SIZE, Images
from torch import Tensor, nn

# Modules that the packages import and that training steps with default settings don't use.
UNUSED = ("aim", "torchvision", "adabelief_pytorch", "fire")
PENALTY_INTERVAL, PENALTY_WEIGHT = 4, 10.0
# Step at which both packages copy the live weights to their average.
AVERAGE_START = 2
# Half-life of the average in steps; before, it contains much of the nearly untrained weights.
AVERAGE_STEPS = 139
# Number of samples that are generated at once.
CHUNK = 32

Weights = TypeVar("Weights")


@contextmanager
def without_cuda() -> Iterator[None]:
    """Let the packages be imported, and their networks be built, on machines without CUDA."""
    absent = {name: mock.MagicMock() for name in UNUSED if name not in sys.modules}
    sys.modules.update(absent)
    try:
        with (
            mock.patch.object(torch.cuda, "is_available", return_value=True),
            mock.patch.object(nn.Module, "cuda", lambda module, device=None: module),
        ):
            yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def set_onednn(enabled: bool) -> Iterator[None]:
    """Switch oneDNN on or off within the context."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = enabled
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


def import_package(package: str) -> ModuleType:
    """Import a package's module of networks and losses."""
    # These two check torch's devices on import, so they must not see the patched torch.
    importlib.import_module("einops.layers.torch")
    importlib.import_module("kornia")
    with without_cuda():
        return importlib.import_module(f"{package}.{package}")


def gradient_penalty(images: Tensor, scores: Sequence[Tensor]) -> Tensor:
    """Return the weighted mean squared norm of the gradient of (n, ...) scores at (n, 3, h, w) images."""
    total = torch.stack([score.sum() for score in scores]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return PENALTY_WEIGHT * gradient.flatten(1).square().sum(1).mean()


def take_step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step of an optimiser."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


class LightweightGan:
    """Train lightweight-gan: skip-layer excitation, hinge loss on two scores, reconstruction in the discriminator."""

    batch = 10
    precision = "float32"
    network: Mapping[str, Any] = {"latent_dim": 256, "attn_res_layers": [32], "disc_output_size": 1}

    def __init__(self, images: Images, device: str, seed: int, **network: Any) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        self.package: Any = import_package("lightweight_gan")
        # Its trainer does the same before it builds networks, unless antialiasing is on.
        self.package.Blur = nn.Identity
        with without_cuda():
            self.gan = self.package.LightweightGAN(image_size=SIZE, **{**self.network, **network}).to(device).train()
        self.batches, self.device, self.count = RandomBatches(images, device), device, 0
        # Its default: a higher probability for fewer images, at most 0.5.
        self.augmentation = {"prob": min(0.5, (1e5 - len(images)) * 3e-6), "types": ["cutout", "translation"]}
        self.networks = ([self.gan.G], self.gan.D)

    def latent(self, count: int) -> Tensor:
        """Draw (count, latent_dim) normals."""
        return torch.randn(count, self.gan.latent_dim).to(self.device)

    def step(self, share: float) -> None:
        """Update the discriminator with reconstruction and penalty, then the generator."""
        del share
        gan, penalised = self.gan, self.count % PENALTY_INTERVAL == 0
        real = self.batches.draw(self.batch).requires_grad_(penalised)
        with torch.no_grad():
            made = gan.G(self.latent(self.batch))
        seen, (made_score, made_score_32, _) = gan.D_aug(
            made, detach=True, input_requires_grad=penalised, return_discr_input=True, **self.augmentation
        )
        real_score, real_score_32, reconstruction = gan.D_aug(real, calc_aux_loss=True, **self.augmentation)
        hinge = self.package.hinge_loss
        loss = hinge(real=real_score, fake=made_score) + hinge(real=real_score_32, fake=made_score_32) + reconstruction
        if penalised:
            both = gradient_penalty(real, (real_score, real_score_32)) + gradient_penalty(
                seen, (made_score, made_score_32)
            )
            loss = loss + both / 2
        take_step(gan.D_opt, loss)
        score, score_32, _ = gan.D_aug(gan.G(self.latent(self.batch)), **self.augmentation)
        generator_loss = self.package.gen_hinge_loss
        take_step(gan.G_opt, generator_loss(score, None) + generator_loss(score_32, None))
        self.average()

    def average(self) -> None:
        """Update the averaged weights at the package's rate."""
        (self.gan.reset_parameter_averaging if self.count == AVERAGE_START else self.gan.EMA)()
        self.count += 1

    @torch.no_grad()
    def samples(self, count: int) -> dict[str, Tensor]:
        """Generate samples by the live weights and by their average."""
        self.gan.eval()
        z = self.latent(count)
        generators = select_weights(self.count, self.gan.G, self.gan.GE)
        return {
            name: torch.cat([generator(part) for part in z.split(CHUNK)]).clamp(0, 1).cpu()
            for name, generator in generators.items()
        }


class StyleGan2:
    """Train stylegan2-pytorch: style mixing in nine of ten steps, hinge loss, path length penalty after 5000 steps."""

    batch = 5
    precision = "float32"
    network: Mapping[str, Any] = {"latent_dim": 512, "network_capacity": 16, "ttur_mult": 1.5, "lr": 2e-4}
    mixed = 0.9
    path_start, path_interval = 5000, 32

    def __init__(self, images: Images, device: str, seed: int, **network: Any) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        self.package: Any = import_package("stylegan2_pytorch")
        with without_cuda():
            self.gan = self.package.StyleGAN2(image_size=SIZE, **{**self.network, **network}).to(device).train()
        self.batches, self.device, self.count = RandomBatches(images, device), device, 0
        self.path_length: Tensor | None = None
        self.networks = ([self.gan.S, self.gan.G], self.gan.D)

    def noise(self, count: int) -> Tensor:
        """Draw (count, size, size, 1) uniform noise."""
        return torch.rand(count, SIZE, SIZE, 1).to(self.device)

    def styles(self, mapping: nn.Module, count: int, mixing: bool) -> Tensor:
        """Draw (count, layers, latent_dim) styles: one latent for all layers, or two that change at a random layer."""
        layers = self.gan.G.num_layers
        first, second = (mapping(torch.randn(count, self.gan.G.latent_dim).to(self.device)) for _ in range(2))
        change = int(torch.rand(()) * layers) if mixing else layers
        return torch.stack([first if layer < change else second for layer in range(layers)], 1)

    def step(self, share: float) -> None:
        """Update both networks and their average.

        On a CPU, oneDNN is off, which halves the speed. With it, the discriminator's update corrupts memory and the
        process crashes after some steps (torch 2.13).
        """
        del share
        with set_onednn(self.device != "cpu"):
            self.update_networks()
        self.average()

    def update_networks(self) -> None:
        """Update the discriminator on real and generated images, with its penalty, then the generator."""
        gan, penalised = self.gan, self.count % PENALTY_INTERVAL == 0
        mixing = random.random() < self.mixed
        with torch.no_grad():
            made = gan.G(self.styles(gan.S, self.batch, mixing), self.noise(self.batch))
        made.requires_grad_(penalised)
        real = self.batches.draw(self.batch).requires_grad_(penalised)
        (made_score, _), (real_score, _) = gan.D_aug(made), gan.D_aug(real)
        loss = self.package.hinge_loss(fake=made_score, real=real_score)
        if penalised:
            loss = loss + gradient_penalty(real, (real_score,)) + gradient_penalty(made, (made_score,))
        take_step(gan.D_opt, loss)
        styles = self.styles(gan.S, self.batch, mixing)
        made = gan.G(styles, self.noise(self.batch))
        loss = self.package.gen_hinge_loss(gan.D_aug(made)[0], None)
        if self.count > self.path_start and self.count % self.path_interval == 0:
            loss = loss + self.path_penalty(styles, made)
        take_step(gan.G_opt, loss)

    def path_penalty(self, styles: Tensor, made: Tensor) -> Tensor | float:
        """Return the mean squared difference of path lengths from their running mean; 0 the first time."""
        lengths = self.package.calc_pl_lengths(styles, made)
        mean, now = self.path_length, lengths.detach().mean()
        self.path_length = now if mean is None else mean * 0.99 + now * 0.01
        return 0.0 if mean is None else (lengths - mean).square().mean()

    def average(self) -> None:
        """Update the averaged weights at the package's rate."""
        (self.gan.reset_parameter_averaging if self.count == AVERAGE_START else self.gan.EMA)()
        self.count += 1

    @torch.no_grad()
    def samples(self, count: int) -> dict[str, Tensor]:
        """Generate samples by the live weights and by their average, without truncation."""
        self.gan.eval()
        parts = select_weights(self.count, (self.gan.S, self.gan.G), (self.gan.SE, self.gan.GE))
        sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
        made = {
            name: [generator(self.styles(mapping, n, False), self.noise(n)) for n in sizes]
            for name, (mapping, generator) in parts.items()
        }
        return {name: torch.cat(images).clamp(0, 1).cpu() for name, images in made.items()}


def select_weights(steps: int, live: Weights, average: Weights) -> dict[str, Weights]:
    """Return live and, after enough steps, averaged weights by name."""
    return {"live": live} | ({"average": average} if steps >= AVERAGE_STEPS else {})


# Networks with about as many parameters as ours, as far as the packages' arguments allow. stylegan2-pytorch keeps half
# as many again, because a smaller fmap_max does not reach its averaged generator.
LIGHTWEIGHT_NARROW = {"latent_dim": 64, "fmap_max": 128, "fmap_inverse_coef": 9, "attn_res_layers": []}
STYLE_NARROW = {"latent_dim": 64, "network_capacity": 4, "fmap_max": 128}
