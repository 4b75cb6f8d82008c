"""Plain networks, latent -> sample and sample -> score, for plugins that bring their own."""

from __future__ import annotations

from torch import Tensor, nn

from .base import BaseDiscriminator, BaseGenerator, NetworkSettings
from .domain import Domain
from .layers import named_parts


class PlainGenerator(BaseGenerator):
    """A network of the latent alone. w is the latent itself: truncation scales it, offsets add to it.

    Conditions and the linear model have no part in it.

    Args:
        domain: with signals and no vectors.
        settings: sizes.
        network: (n, z_dim) -> (n, channels of all signals, *size).
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
        """One: the network's input."""
        return 1

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """(n, z_dim) latents, scaled."""
        del condition
        return truncation * z

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample of (n, 1, z_dim)."""
        del noise
        with self.autocast():
            signals = self.network(w[:, 0])
        return named_parts(signals.float(), self.domain.signals)


class PlainDiscriminator(BaseDiscriminator):
    """A network of the view alone.

    Args:
        network: (n, view_channels, *view_size) -> (n, 1) scores before any sigmoid, which the objective applies.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, view: Tensor, condition: Tensor) -> Tensor:
        """(n,) scores."""
        del condition
        with self.autocast():
            scores = self.network(view)
        return scores.float().squeeze(1)
