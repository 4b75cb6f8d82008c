"""One generator and one discriminator for every plugin (torch)."""

from .discriminator import Discriminator, count_parameters
from .domain import Domain
from .generator import Generator, NetworkSettings
from .linear import LinearFit, LinearModel, fit_linear

__all__ = [
    "Discriminator",
    "Domain",
    "Generator",
    "LinearFit",
    "LinearModel",
    "NetworkSettings",
    "count_parameters",
    "fit_linear",
]
