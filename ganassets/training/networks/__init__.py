"""The generator and the discriminator of every plugin (torch)."""

from .base import BaseDiscriminator, BaseGenerator, NetworkSettings
from .codes import CodeGenerator
from .discriminator import Discriminator
from .domain import Domain
from .generator import Generator
from .layers import coarse_and_fine
from .linear import LinearFit, LinearModel, fit_linear, linear_latents
from .pair import OwnNetworks, make_networks
from .parameters import count_parameters, load_parameters
from .plain import PlainDiscriminator, PlainGenerator
from .projected import ProjectedDiscriminator

__all__ = [
    "BaseDiscriminator",
    "BaseGenerator",
    "CodeGenerator",
    "Discriminator",
    "Domain",
    "Generator",
    "LinearFit",
    "LinearModel",
    "NetworkSettings",
    "OwnNetworks",
    "PlainDiscriminator",
    "PlainGenerator",
    "ProjectedDiscriminator",
    "coarse_and_fine",
    "count_parameters",
    "fit_linear",
    "linear_latents",
    "load_parameters",
    "make_networks",
]
