"""Build the torch parts that a plugin brings: its domain and its noise maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..api.latents import normal_noise_map
from ..api.plugin_calls import call_plugin, contract_error, make_noise
from ..api.spec import GeneratorSpec, NoiseMap, Preset
from .networks import Domain, LinearFit

REQUIRED_ATTRIBUTES = ("signals", "vectors", "wraps", "size", "network_size", "view_channels")


def make_domain(spec: GeneratorSpec, preset: Preset, fit: LinearFit) -> Domain:
    """Build the plugin's domain.

    Args:
        spec: Generator whose `domain` function is called.
        preset: Sizes and length of the run.
        fit: Linear model of the training data.

    Raises:
        PluginError: The plugin raised an error, or what it returned is no complete domain.
    """
    expected = "return a ganassets.training.networks.Domain"
    domain = call_plugin(spec, "domain", expected, preset, fit)
    if not isinstance(domain, Domain):
        raise contract_error(spec, "domain", expected, f"it returned {type(domain).__name__}")
    missing = [name for name in REQUIRED_ATTRIBUTES if not hasattr(domain, name)]
    if missing:
        raise contract_error(spec, "domain", expected, f"its domain has no {' and no '.join(missing)}")
    return domain


def make_noise_map(spec: GeneratorSpec, domain: Domain) -> NoiseMap:
    """Return the plugin's noise maps, each checked when it is made, or maps of independent normals."""
    if spec.noise is None:
        return make_normal_noise(domain)

    def checked_noise(seed: int, condition: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
        return make_noise(spec, seed, condition, domain.noise_channels, size)

    return checked_noise


def make_normal_noise(domain: Domain) -> NoiseMap:
    """Return a function that makes noise maps of independent normals."""

    def normal_noise(seed: int, condition: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
        del condition
        return normal_noise_map(seed, domain.noise_channels, size)

    return normal_noise
