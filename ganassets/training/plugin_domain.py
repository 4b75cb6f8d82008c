"""Build the torch parts that a plugin brings: its domain and its noise maps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..api.latents import normal_noise_map, uniforms
from ..api.plugin_calls import call_plugin, contract_error, make_noise
from ..api.spec import GeneratorSpec, NoiseMap, Preset
from .networks import Domain, LinearFit

# Windows that are taken of one large noise map, and large maps that are kept.
WINDOWS, LARGE_MAPS = 8, 4
# Stream of the windows' places; see ganassets.api.latents.
WINDOW_STREAM = 3
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
    arrays = domain.model_arrays()

    def checked_noise(seed: int, condition: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
        return make_noise(spec, seed, condition, domain.noise_channels, size, arrays)

    return take_windows(checked_noise, domain) if domain.window_of else checked_noise


def take_windows(noise_map: NoiseMap, domain: Domain) -> NoiseMap:
    """Return a function that takes windows of larger noise maps, several of each map because those take time."""
    large = lru_cache(LARGE_MAPS)(
        lambda seed, row: noise_map(seed, np.frombuffer(row, np.float32), (domain.window_of,) * len(domain.wraps))
    )

    def window(seed: int, condition: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
        found = large(seed // WINDOWS, np.ascontiguousarray(condition, np.float32).tobytes())
        cells = domain.window_of // domain.stride
        for axis, (length, draw) in enumerate(zip(size, uniforms(seed, len(size), WINDOW_STREAM), strict=True), 1):
            start = int(draw * cells) * domain.stride
            found = found.take(np.arange(start, start + length) % domain.window_of, axis)
        return found

    return window


def make_normal_noise(domain: Domain) -> NoiseMap:
    """Return a function that makes noise maps of independent normals."""

    def normal_noise(seed: int, condition: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
        del condition
        return normal_noise_map(seed, domain.noise_channels, size)

    return normal_noise
