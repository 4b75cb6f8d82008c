"""Check a plugin's domain and networks before the first step, so that a run doesn't fail at its end."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData, as_float
from ..api.errors import GanassetsError, one_line
from ..api.plugin_calls import call_checked, contract_error
from ..api.registry import plugin_label
from ..api.registry_checks import generator_problems
from ..api.spec import GeneratorSpec, Preset
from .networks import BaseGenerator, Domain, NetworkSettings, make_networks
from .onnx_export import TOLERANCE, example_inputs, measure_differences, open_session, serialize_checked, to_onnx
from .plugin_domain import make_noise_map

# Number of samples in a check.
SAMPLES = 2
# What a plugin's networks are expected to do, for error messages.
FITTING_NETWORKS = "return a generator and a discriminator that fit the domain"


def check_spec(spec: GeneratorSpec) -> None:
    """Raise GanassetsError when a generator breaks its contract, as `ganassets plugins check` would report."""
    problems = generator_problems(spec)
    if problems:
        raise GanassetsError(
            f"{plugin_label(spec)} breaks its contract: {problems[0]} "
            f"`ganassets plugins check {spec.name}` lists all problems."
        )


def check_networks(spec: GeneratorSpec, preset: Preset, domain: Domain, data: TrainingData) -> None:
    """Run untrained networks on two samples.

    Args:
        spec: Generator to check.
        preset: Sizes.
        domain: The plugin's domain; stays unchanged.
        data: Training samples.

    Raises:
        PluginError: The domain doesn't fit the data or the spec's outputs, or its networks don't fit the domain.
    """
    domain = copy.deepcopy(domain)
    check_signals(spec, domain, data)
    index = np.arange(min(SAMPLES, len(data)))
    signals, vectors, conditions = data.batch(index)
    reals = {name: torch.from_numpy(as_float(array)) for name, array in (signals | vectors).items()}
    condition = torch.from_numpy(conditions)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        expected = "return the outputs that the generator names, finite float32 tensors of their axes"
        outputs = call_checked(spec, "domain.finish", expected, lambda: domain.finish(dict(reals), condition))
        check_outputs(spec, "domain.finish", expected, outputs, len(index))
        noise = make_trial_noise(spec, domain, conditions)
        fakes, discriminator = make_trial_fakes(spec, preset, domain, reals, condition, noise)
        extras = {} if noise is None else {"noise": noise}
        if data.masks is not None:
            extras["mask"] = torch.from_numpy(data.masks[index])
        check_view(spec, domain, {**reals, **extras}, len(index))
        view = check_view(spec, domain, {**fakes, **extras}, len(index))
        check_scores(spec, discriminator, view, condition)


def make_trial_fakes(
    spec: GeneratorSpec,
    preset: Preset,
    domain: Domain,
    reals: Mapping[str, Tensor],
    condition: Tensor,
    noise: Tensor | None,
) -> tuple[Mapping[str, Tensor], Callable[[Tensor, Tensor], Tensor]]:
    """Return raw fakes of an untrained generator, and its discriminator; PluginError when they don't fit the reals."""
    function, expected = networks_function(spec), FITTING_NETWORKS
    generator, discriminator = call_checked(
        spec, function, expected, lambda: make_networks(preset, domain, condition.shape[1], spec.networks)
    )
    z = torch.randn(len(condition), preset.z_dim)
    fakes = call_checked(spec, function, expected, lambda: generator.sample(z, condition, noise))
    shapes = [{name: tuple(raw[name].shape) for name in reals if name in raw} for raw in (reals, fakes)]
    if shapes[0] != shapes[1]:
        raise contract_error(spec, function, expected, f"samples are {shapes[0]}, its generator makes {shapes[1]}")
    return fakes, discriminator


def networks_function(spec: GeneratorSpec) -> str:
    """Return the name of the plugin's function that determines its networks."""
    return "networks" if spec.networks else "domain"


def check_scores(
    spec: GeneratorSpec, discriminator: Callable[[Tensor, Tensor], Tensor], view: Tensor, condition: Tensor
) -> None:
    """Raise PluginError unless the discriminator returns one finite score per sample."""
    function, count = networks_function(spec), len(view)
    scores = call_checked(spec, function, FITTING_NETWORKS, lambda: discriminator(view, condition))
    if not isinstance(scores, Tensor) or scores.shape != (count,) or not torch.isfinite(scores).all():
        raise contract_error(
            spec, function, FITTING_NETWORKS, f"{count} samples got scores of {describe_tensor(scores)}"
        )


def check_signals(spec: GeneratorSpec, domain: Domain, data: TrainingData) -> None:
    """Raise PluginError unless the data's signals and vectors are those of the domain."""
    expected = "fit the samples of its dataset"
    channels = {name: array.shape[1] for name, array in data.signals.items()}
    widths = {name: array.shape[1] for name, array in data.vectors.items()}
    if channels != dict(domain.signals):
        raise contract_error(
            spec, "domain", expected, f"signals have channels {channels}, its domain says {domain.signals}"
        )
    if widths != dict(domain.vectors):
        raise contract_error(
            spec, "domain", expected, f"vectors have widths {widths}, its domain says {domain.vectors}"
        )
    if tuple(domain.wraps) != tuple(spec.wraps):
        raise contract_error(spec, "domain", expected, f"its domain wraps {domain.wraps}, the generator {spec.wraps}")
    size = domain.network_size if domain.size is None else domain.size
    for name, array in data.signals.items():
        if array.shape[2:] != (size,) * len(domain.wraps):
            found = " x ".join(map(str, array.shape[2:]))
            raise contract_error(
                spec, "domain", expected, f"signal {name!r} is {found}, its domain says {size} an axis"
            )


def check_outputs(spec: GeneratorSpec, function: str, expected: str, outputs: object, count: int) -> None:
    """Raise PluginError unless a model's outputs are those of the spec, for `count` samples."""
    if not isinstance(outputs, Mapping):
        raise contract_error(spec, function, expected, f"it returned {type(outputs).__name__}")
    names = [output.name for output in spec.outputs]
    if set(outputs) != set(names):
        found = ", ".join(map(str, outputs)) or "none"
        raise contract_error(spec, function, expected, f"it returned {found} in place of {', '.join(names)}")
    for output in spec.outputs:
        tensor = outputs[output.name]
        fits = isinstance(tensor, Tensor) and tensor.dtype == torch.float32
        if not fits or tensor.ndim != 1 + len(output.axes) or len(tensor) != count:
            axes = f"{count} x {' x '.join(output.axes)}"
            raise contract_error(spec, function, expected, f"{output.name} ({axes}) is {describe_tensor(tensor)}")
        if not torch.isfinite(tensor).all():
            raise contract_error(spec, function, expected, f"{output.name} is not finite for samples of the data")


def check_view(spec: GeneratorSpec, domain: Domain, raw: Mapping[str, Tensor], count: int) -> Tensor:
    """Return the discriminator's view of `count` raw samples; PluginError unless it is as the domain says."""
    shape = (count, domain.view_channels, *(domain.view_size,) * len(domain.wraps))
    expected = f"return a finite tensor of {' x '.join(map(str, shape))}"
    view = call_checked(spec, "domain.view", expected, lambda: domain.view(dict(raw)))
    if not isinstance(view, Tensor) or tuple(view.shape) != shape or not torch.isfinite(view).all():
        raise contract_error(spec, "domain.view", expected, f"it returned {describe_tensor(view)}")
    return view


def make_trial_noise(spec: GeneratorSpec, domain: Domain, conditions: np.ndarray) -> Tensor | None:
    """Make noise maps of the size of training samples, for (n, c) conditions; None when the domain has a size."""
    if domain.size is not None:
        return None
    noise_map = make_noise_map(spec, domain)
    size = (domain.network_size,) * len(domain.wraps)
    return torch.from_numpy(np.stack([noise_map(seed, row, size) for seed, row in enumerate(conditions)]))


def describe_tensor(value: object) -> str:
    """Describe a tensor's type and shape, as in "a float32 tensor of 2 x 3, not all finite", or another type."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    name, shape = str(value.dtype).removeprefix("torch."), " x ".join(map(str, value.shape)) or "no axes"
    return f"a {name} tensor of {shape}{'' if torch.isfinite(value).all() else ', not all finite'}"


def check_export(spec: GeneratorSpec, preset: Preset, domain: Domain, rows: np.ndarray) -> None:
    """Export the untrained parts that the plugin brings, and compare them with torch.

    The core's layers are left out: they are known to export, and would take most of the time.

    Args:
        spec: Generator to check.
        preset: Sizes.
        domain: The plugin's domain; stays unchanged.
        rows: (r, c) physical conditions of samples.

    Raises:
        PluginError: They can't be exported, or ONNX computes other numbers than torch.
    """
    domain, function = copy.deepcopy(domain), networks_function(spec)
    expected = "make a graph that ONNX can hold"
    with torch.random.fork_rng(devices=[]):
        if spec.networks:
            generator, _ = make_networks(preset, domain, rows.shape[1], spec.networks)
        else:
            generator = DomainGenerator(domain, NetworkSettings(preset.z_dim, rows.shape[1], 0, 0, 0))
        generator.eval().requires_grad_(False)
        try:
            content = serialize_checked(to_onnx(generator))
        except Exception as error:
            cause = error.__cause__ or error  # torch's own error is a page of advice
            raise contract_error(spec, function, expected, f"exporting it raised {one_line(cause)}") from error
        found = measure_differences(generator, open_session(content), example_inputs(generator, rows, SAMPLES))
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise contract_error(
                spec, function, expected, f"ONNX makes {name} that differs from torch's by {difference:.2g}"
            )


class DomainGenerator(BaseGenerator):
    """A generator without layers: the domain's part of the core's graph, with signals linear in the latent."""

    @property
    def full_w_dim(self) -> int:
        """Length of w: embedded latent and conditions."""
        return self.domain.embedded_width(self.settings.z_dim) + self.settings.c_dim

    @property
    def layers(self) -> int:
        """One layer."""
        return 1

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """Map (n, z_dim), standardised (n, c_dim) and (1,) to (n, w)."""
        return torch.cat([self.domain.embed(truncation * z, condition), condition], 1)

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Return a raw sample whose signals are one number of w, plus the noise map's first channel if there is one."""
        domain, axes = self.domain, len(self.domain.wraps)
        latent, condition = w[:, 0].split([self.full_w_dim - self.settings.c_dim, self.settings.c_dim], 1)
        size: Sequence[int] = (domain.size or 1,) * axes
        level = latent[:, :1][..., *[None] * axes]
        signal = level.expand(-1, 1, *size) if noise is None else level + noise[:, :1]
        raw = {name: signal.expand(-1, channels, *[-1] * axes) for name, channels in domain.signals.items()}
        if domain.linear is not None:
            return domain.combine(domain.linear(domain.linear.coefficients(latent, condition)), raw)
        raw |= {name: latent[:, :1].expand(-1, width) for name, width in domain.vectors.items()}
        return domain.centre(raw, domain.unstandardise(condition))
