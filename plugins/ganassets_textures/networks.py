"""The networks of textures: the core's for painted materials, and those of exemplars."""

from __future__ import annotations

from ganassets.api.spec import Preset
from ganassets.training.networks import (
    BaseDiscriminator,
    BaseGenerator,
    Discriminator,
    Domain,
    Generator,
    NetworkSettings,
)

from .exemplars.domain import ExemplarDomain
from .exemplars.networks import make_exemplar_generator


def make_networks(preset: Preset, domain: Domain, settings: NetworkSettings) -> tuple[BaseGenerator, BaseDiscriminator]:
    """Build the generator and the discriminator for the domain of the data."""
    del preset
    if isinstance(domain, ExemplarDomain):
        return make_exemplar_generator(domain, settings), Discriminator(domain, settings)
    return Generator(domain, settings), Discriminator(domain, settings)
