"""Build the generator and the discriminator of a run: the core's, or the plugin's own."""

from __future__ import annotations

from collections.abc import Callable

from ...api.errors import InputError
from ...api.spec import Preset
from .base import BaseDiscriminator, BaseGenerator, NetworkSettings
from .codes import CodeGenerator
from .discriminator import Discriminator
from .domain import Domain
from .generator import Generator
from .projected import ProjectedDiscriminator

NetworkPair = tuple[BaseGenerator, BaseDiscriminator]
OwnNetworks = Callable[[Preset, Domain, NetworkSettings], NetworkPair]


def make_networks(preset: Preset, domain: Domain, conditions: int, own: OwnNetworks | None = None) -> NetworkPair:
    """Build untrained networks.

    Args:
        preset: Sizes.
        domain: The plugin's domain.
        conditions: Number of condition columns.
        own: Builds the plugin's networks, see GeneratorSpec.networks; None for the core's.

    Raises:
        InputError: The plugin's networks hold buffers, which checkpoints leave out.
    """
    settings = NetworkSettings(preset.z_dim, conditions, preset.w_dim, preset.width, preset.max_width)
    if preset.codes:
        return CodeGenerator(domain, settings), ProjectedDiscriminator(domain)
    if own is None:
        return Generator(domain, settings), Discriminator(domain, settings)
    generator, discriminator = own(preset, domain, settings)
    for network in (generator, discriminator):
        kept = {name for name, _ in network.named_parameters()}
        lost = [name for name in network.state_dict() if name not in kept and not name.startswith("domain.")]
        if lost:
            raise InputError(
                f"the generator's own networks hold numbers that are no parameters ({', '.join(lost)}), which "
                "checkpoints leave out; use layers without running statistics."
            )
    return generator, discriminator
