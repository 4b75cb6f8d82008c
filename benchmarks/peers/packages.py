"""Two packages from PyPI: their networks, losses and defaults, in training steps of our own.

Their trainers ask for CUDA even to be imported, and read folders; the steps here do what theirs do on any device:
lightweight-gan 1.2.1 (Liu et al. 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image
Synthesis") and stylegan2-pytorch 1.9.0 (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN").
Where they accumulate gradients over several batches by default, each batch is a step here: in a short time the larger
number of steps serves them better. So does an average of weights from the start, where theirs begins at step 20,000.
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
from contender import Batches
from images import SIZE, Images
from torch import Tensor, nn

# Imported by the packages, used by no training step of default settings.
UNUSED = ("aim", "torchvision", "adabelief_pytorch", "fire")
PENALTY_INTERVAL, PENALTY_WEIGHT = 4, 10.0
AVERAGE_START = 2  # step that both take their average's first weights from
CHUNK = 32  # samples made at once
AVERAGE_STEPS = 139  # its half-life: before, it is a mix with nearly untrained weights


Weights = TypeVar("Weights")


@contextmanager
def without_cuda() -> Iterator[None]:
    """Let the packages be imported, and their networks be made, where there is no CUDA."""
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
def onednn(enabled: bool) -> Iterator[None]:
    """Let torch use oneDNN, or not."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = enabled
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


def load(package: str) -> ModuleType:
    """A package's module of networks and losses."""
    importlib.import_module("einops.layers.torch")  # these look at torch themselves, and must see it as it is
    importlib.import_module("kornia")
    with without_cuda():
        return importlib.import_module(f"{package}.{package}")


def penalty(images: Tensor, scores: Sequence[Tensor]) -> Tensor:
    """Mean squared norm of the gradient of (n, ...) scores at (n, 3, h, w) images, weighted."""
    total = torch.stack([score.sum() for score in scores]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return PENALTY_WEIGHT * gradient.flatten(1).square().sum(1).mean()


def update(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down a loss."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


class LightweightGan:
    """lightweight-gan: skip-layer excitation, hinge loss on two scores, a discriminator that also reconstructs."""

    batch = 10
    precision = "float32"
    network: Mapping[str, Any] = {"latent_dim": 256, "attn_res_layers": [32], "disc_output_size": 1}

    def __init__(self, images: Images, device: str, seed: int, **network: Any) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        self.package: Any = load("lightweight_gan")
        self.package.Blur = nn.Identity  # as its trainer does before it makes networks, unless asked for antialiasing
        with without_cuda():
            self.gan = self.package.LightweightGAN(image_size=SIZE, **{**self.network, **network}).to(device).train()
        self.batches, self.device, self.count = Batches(images, device), device, 0
        # Its default: more for fewer images, at most a half.
        self.augmentation = {"prob": min(0.5, (1e5 - len(images)) * 3e-6), "types": ["cutout", "translation"]}
        self.networks = ([self.gan.G], self.gan.D)

    def latent(self, count: int) -> Tensor:
        """(count, latent_dim) normals."""
        return torch.randn(count, self.gan.latent_dim).to(self.device)

    def step(self, share: float) -> None:
        """The discriminator on real and made images, with reconstruction and penalty; then the generator."""
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
            both = penalty(real, (real_score, real_score_32)) + penalty(seen, (made_score, made_score_32))
            loss = loss + both / 2
        update(gan.D_opt, loss)
        score, score_32, _ = gan.D_aug(gan.G(self.latent(self.batch)), **self.augmentation)
        generator_loss = self.package.gen_hinge_loss
        update(gan.G_opt, generator_loss(score, None) + generator_loss(score_32, None))
        self.average()

    def average(self) -> None:
        """Move the averaged weights, at the package's rate."""
        (self.gan.reset_parameter_averaging if self.count == AVERAGE_START else self.gan.EMA)()
        self.count += 1

    @torch.no_grad()
    def samples(self, count: int) -> dict[str, Tensor]:
        """Of the live weights and of their average."""
        self.gan.eval()
        z = self.latent(count)
        generators = weights_of(self.count, self.gan.G, self.gan.GE)
        return {
            name: torch.cat([generator(part) for part in z.split(CHUNK)]).clamp(0, 1).cpu()
            for name, generator in generators.items()
        }


class StyleGan2:
    """stylegan2-pytorch: mapped styles, two of them mixed in nine steps of ten, hinge loss, path lengths late on."""

    batch = 5
    precision = "float32"
    network: Mapping[str, Any] = {"latent_dim": 512, "network_capacity": 16, "ttur_mult": 1.5, "lr": 2e-4}
    mixed = 0.9
    path_start, path_interval = 5000, 32

    def __init__(self, images: Images, device: str, seed: int, **network: Any) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        self.package: Any = load("stylegan2_pytorch")
        with without_cuda():
            self.gan = self.package.StyleGAN2(image_size=SIZE, **{**self.network, **network}).to(device).train()
        self.batches, self.device, self.count = Batches(images, device), device, 0
        self.path_length: Tensor | None = None
        self.networks = ([self.gan.S, self.gan.G], self.gan.D)

    def noise(self, count: int) -> Tensor:
        """(count, size, size, 1) uniform."""
        return torch.rand(count, SIZE, SIZE, 1).to(self.device)

    def styles(self, mapping: nn.Module, count: int, mixing: bool) -> Tensor:
        """(count, layers, latent_dim) one mapped latent for all layers, or two with a random layer between them."""
        layers = self.gan.G.num_layers
        first, second = (mapping(torch.randn(count, self.gan.G.latent_dim).to(self.device)) for _ in range(2))
        change = int(torch.rand(()) * layers) if mixing else layers
        return torch.stack([first if layer < change else second for layer in range(layers)], 1)

    def step(self, share: float) -> None:
        """A step; on the CPU without oneDNN: with it the discriminator's update corrupts memory, and the process dies
        after some steps (torch 2.13). This costs half of the speed."""
        del share
        with onednn(self.device != "cpu"):
            self.train()
        self.average()

    def train(self) -> None:
        """The discriminator on made and real images, with its penalty; then the generator, with path lengths."""
        gan, penalised = self.gan, self.count % PENALTY_INTERVAL == 0
        mixing = random.random() < self.mixed
        with torch.no_grad():
            made = gan.G(self.styles(gan.S, self.batch, mixing), self.noise(self.batch))
        made.requires_grad_(penalised)
        real = self.batches.draw(self.batch).requires_grad_(penalised)
        (made_score, _), (real_score, _) = gan.D_aug(made), gan.D_aug(real)
        loss = self.package.hinge_loss(fake=made_score, real=real_score)
        if penalised:
            loss = loss + penalty(real, (real_score,)) + penalty(made, (made_score,))
        update(gan.D_opt, loss)
        styles = self.styles(gan.S, self.batch, mixing)
        made = gan.G(styles, self.noise(self.batch))
        loss = self.package.gen_hinge_loss(gan.D_aug(made)[0], None)
        if self.count > self.path_start and self.count % self.path_interval == 0:
            loss = loss + self.path_penalty(styles, made)
        update(gan.G_opt, loss)

    def path_penalty(self, styles: Tensor, made: Tensor) -> Tensor | float:
        """Squared differences of path lengths from their running mean, which has no value the first time."""
        lengths = self.package.calc_pl_lengths(styles, made)
        mean, now = self.path_length, lengths.detach().mean()
        self.path_length = now if mean is None else mean * 0.99 + now * 0.01
        return 0.0 if mean is None else (lengths - mean).square().mean()

    def average(self) -> None:
        """Move the averaged weights, at the package's rate."""
        (self.gan.reset_parameter_averaging if self.count == AVERAGE_START else self.gan.EMA)()
        self.count += 1

    @torch.no_grad()
    def samples(self, count: int) -> dict[str, Tensor]:
        """Of the live weights and of their average, not truncated."""
        self.gan.eval()
        parts = weights_of(self.count, (self.gan.S, self.gan.G), (self.gan.SE, self.gan.GE))
        sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
        made = {
            name: [generator(self.styles(mapping, n, False), self.noise(n)) for n in sizes]
            for name, (mapping, generator) in parts.items()
        }
        return {name: torch.cat(images).clamp(0, 1).cpu() for name, images in made.items()}


def weights_of(steps: int, live: Weights, average: Weights) -> dict[str, Weights]:
    """The weights worth looking at after some steps, by name."""
    return {"live": live} | ({"average": average} if steps >= AVERAGE_STEPS else {})


# As near to our own number of parameters as their arguments go. stylegan2-pytorch keeps half as many again: a smaller
# fmap_max does not reach its averaged generator.
LIGHTWEIGHT_NARROW = {"latent_dim": 64, "fmap_max": 128, "fmap_inverse_coef": 9, "attn_res_layers": []}
STYLE_NARROW = {"latent_dim": 64, "network_capacity": 4, "fmap_max": 128}
