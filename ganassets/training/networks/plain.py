"""Wrap plain networks, latent to sample and sample to score, for plugins that bring their own."""

from __future__ import annotations

from torch import Tensor, nn

from .base import BaseDiscriminator, BaseGenerator, NetworkSettings
from .domain import Domain
from .layers import named_parts


class PlainGenerator(BaseGenerator):
    """A generator that reads the latent alone, without conditions and linear model.

    w is the latent itself: truncation scales it, and offsets add to it.

    Args:
        domain: Domain with signals and without vectors.
        settings: Sizes.
        network: Maps (n, z_dim) to (n, channels of all signals, *size).
    """

    def __init__(self, domain: Domain, settings: NetworkSettings, network: nn.Module) -> None:
        super().__init__(domain, settings)
        self.network = network

    @property
    def full_w_dim(self) -> int:
        """Length of w, which is the latent."""
        return self.settings.z_dim

    @property
    def layers(self) -> int:
        """One layer, the network's input."""
        return 1

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Return the (n, z_dim) latents, scaled by the truncation."""
        del condition
        return truncation * z

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Generate raw samples from (n, 1, z_dim)."""
        del noise
        with self.autocast():
            signals = self.network(w[:, 0])
        return named_parts(signals.float(), self.domain.signals)


class PlainDiscriminator(BaseDiscriminator):
    """A discriminator that reads the view alone, without conditions.

    Args:
        network: Maps (n, view_channels, *view_size) to (n, 1) scores without a sigmoid, which the objective applies.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """Return (n,) scores."""
        del condition
        with self.autocast():
            scores = self.network(view)
        return scores.float().squeeze(1)
