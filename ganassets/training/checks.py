"""What would let a run fail at its end, found before its first step: the plugin's torch part and its networks."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..api.data import TrainingData, as_float
from ..api.errors import GanassetsError, one_line
from ..api.latents import noise_map as plain_noise_map
from ..api.plugin_calls import broken, call_plugin, guard, make_noise
from ..api.registry import plugin_label
from ..api.registry_checks import generator_problems
from ..api.spec import GeneratorSpec, NoiseMap, Preset
from .networks import BaseGenerator, Domain, LinearFit, NetworkSettings, make_networks

SAMPLES = 2  # of a trial
OF_DOMAIN = ("signals", "vectors", "wraps", "size", "network_size", "view_channels")


def check_spec(spec: GeneratorSpec) -> None:
    """GanassetsError where a generator breaks a rule of its contract that `ganassets plugins check` tells of."""
    problems = generator_problems(spec)
    if problems:
        raise GanassetsError(
            f"{plugin_label(spec)} breaks its contract: {problems[0]} "
            f"`ganassets plugins check {spec.name}` shows all that is wrong."
        )


def make_domain(spec: GeneratorSpec, preset: Preset, fit: LinearFit) -> Domain:
    """The plugin's torch part, see GeneratorSpec.domain."""
    expected = "return a ganassets.training.networks.Domain"
    domain = call_plugin(spec, "domain", expected, preset, fit)
    if not isinstance(domain, Domain):
        raise broken(spec, "domain", expected, f"it returned {type(domain).__name__}")
    lacking = [name for name in OF_DOMAIN if not hasattr(domain, name)]
    if lacking:
        raise broken(spec, "domain", expected, f"its domain has no {' and no '.join(lacking)}")
    return domain


def checked_noise(spec: GeneratorSpec, domain: Domain) -> NoiseMap | None:
    """The plugin's noise maps, each checked; None for plain normals."""
    if spec.noise is None:
        return None
    return lambda seed, row, size: make_noise(spec, seed, row, domain.noise_channels, size)


def check_networks(spec: GeneratorSpec, preset: Preset, domain: Domain, data: TrainingData) -> None:
    """Let untrained networks make and judge two samples.

    Args:
        spec: the generator.
        preset: sizes.
        domain: the plugin's torch part; stays as it is.
        data: training samples.

    Raises:
        PluginError: the domain doesn't fit the data or the spec's outputs, or its networks don't fit it.
    """
    domain = copy.deepcopy(domain)
    check_signals(spec, domain, data)
    index = np.arange(min(SAMPLES, len(data)))
    signals, vectors, conditions = data.batch(index)
    raw = {name: torch.from_numpy(as_float(array)) for name, array in (signals | vectors).items()}
    given = torch.from_numpy(conditions)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        expected = "return the outputs that the generator names, finite float32 tensors of their axes"
        outputs = guard(spec, "domain.finish", expected, lambda: domain.finish(dict(raw), given))
        check_outputs(spec, "domain.finish", expected, outputs, len(index))
        expected = "return a generator and a discriminator that fit the domain"
        function = "networks" if spec.networks else "domain"
        generator, discriminator = guard(
            spec, function, expected, lambda: make_networks(preset, domain, conditions.shape[1], spec.networks)
        )
        z = torch.randn(len(index), preset.z_dim)
        noise = trial_noise(spec, domain, conditions)
        made = guard(spec, function, expected, lambda: generator.sample(z, given, noise))
        shapes = [{name: tuple(samples[name].shape) for name in raw if name in samples} for samples in (raw, made)]
        if shapes[0] != shapes[1]:
            raise broken(spec, function, expected, f"samples are {shapes[0]}, its generator makes {shapes[1]}")
        if noise is not None:
            made, raw = {**made, "noise": noise}, {**raw, "noise": noise}
        if data.masks is not None:
            mask = torch.from_numpy(data.masks[index])
            made, raw = {**made, "mask": mask}, {**raw, "mask": mask}
        for samples in (raw, made):
            view = check_view(spec, domain, samples, len(index))
        scores = guard(spec, function, expected, lambda: discriminator(view, given))
        if not isinstance(scores, Tensor) or scores.shape != (len(index),) or not torch.isfinite(scores).all():
            raise broken(spec, function, expected, f"{len(index)} samples got scores of {describe_tensor(scores)}")


def check_signals(spec: GeneratorSpec, domain: Domain, data: TrainingData) -> None:
    """PluginError unless the data's signals and vectors are those of the domain."""
    expected = "fit the samples of its dataset"
    channels = {name: array.shape[1] for name, array in data.signals.items()}
    widths = {name: array.shape[1] for name, array in data.vectors.items()}
    if channels != dict(domain.signals):
        raise broken(spec, "domain", expected, f"signals have channels {channels}, its domain says {domain.signals}")
    if widths != dict(domain.vectors):
        raise broken(spec, "domain", expected, f"vectors have widths {widths}, its domain says {domain.vectors}")
    if tuple(domain.wraps) != tuple(spec.wraps):
        raise broken(spec, "domain", expected, f"its domain wraps {domain.wraps}, the generator {spec.wraps}")
    size = domain.network_size if domain.size is None else domain.size
    for name, array in data.signals.items():
        if array.shape[2:] != (size,) * len(domain.wraps):
            found = " x ".join(map(str, array.shape[2:]))
            raise broken(spec, "domain", expected, f"signal {name!r} is {found}, its domain says {size} an axis")


def check_outputs(spec: GeneratorSpec, function: str, expected: str, outputs: object, count: int) -> None:
    """PluginError unless a model's outputs are those of the spec, for `count` samples."""
    if not isinstance(outputs, Mapping):
        raise broken(spec, function, expected, f"it returned {type(outputs).__name__}")
    names = [output.name for output in spec.outputs]
    if set(outputs) != set(names):
        found = ", ".join(map(str, outputs)) or "none"
        raise broken(spec, function, expected, f"it returned {found} in place of {', '.join(names)}")
    for output in spec.outputs:
        tensor = outputs[output.name]
        fits = isinstance(tensor, Tensor) and tensor.dtype == torch.float32
        if not fits or tensor.ndim != 1 + len(output.axes) or len(tensor) != count:
            axes = f"{count} x {' x '.join(output.axes)}"
            raise broken(spec, function, expected, f"{output.name} ({axes}) is {describe_tensor(tensor)}")
        if not torch.isfinite(tensor).all():
            raise broken(spec, function, expected, f"{output.name} is not finite for samples of the data")


def check_view(spec: GeneratorSpec, domain: Domain, raw: Mapping[str, Tensor], count: int) -> Tensor:
    """The discriminator's view of `count` raw samples; PluginError where it isn't as the domain says."""
    shape = (count, domain.view_channels, *(domain.view_size,) * len(domain.wraps))
    expected = f"return a finite tensor of {' x '.join(map(str, shape))}"
    view = guard(spec, "domain.view", expected, lambda: domain.view(dict(raw)))
    if not isinstance(view, Tensor) or tuple(view.shape) != shape or not torch.isfinite(view).all():
        raise broken(spec, "domain.view", expected, f"it returned {describe_tensor(view)}")
    return view


def trial_noise(spec: GeneratorSpec, domain: Domain, conditions: np.ndarray) -> Tensor | None:
    """Noise maps of the size of training samples, for conditions (n, c); None where the domain has a size."""
    if domain.size is not None:
        return None
    noise = checked_noise(spec, domain) or (lambda seed, row, size: plain_noise_map(seed, domain.noise_channels, size))
    size = (domain.network_size,) * len(domain.wraps)
    return torch.from_numpy(np.stack([noise(seed, row, size) for seed, row in enumerate(conditions)]))


def describe_tensor(value: object) -> str:
    """ "a float32 tensor of 2 x 3, not all finite", or the type of something else."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    name, shape = str(value.dtype).removeprefix("torch."), " x ".join(map(str, value.shape)) or "no axes"
    return f"a {name} tensor of {shape}{'' if torch.isfinite(value).all() else ', not all finite'}"


def check_export(spec: GeneratorSpec, preset: Preset, domain: Domain, rows: np.ndarray) -> None:
    """Export what the plugin brings, untrained, and compare it with torch.

    The core's layers are left out, because they can be exported and would take most of the time.

    Args:
        spec: the generator.
        preset: sizes.
        domain: the plugin's torch part; stays as it is.
        rows: (r, c) conditions of samples.

    Raises:
        PluginError: it can't be exported, or ONNX makes other numbers of it.
    """
    from .onnx_export import TOLERANCE, check, differences, example_inputs, open_session, to_onnx

    domain, function = copy.deepcopy(domain), "networks" if spec.networks else "domain"
    expected = "make a graph that ONNX can hold"
    with torch.random.fork_rng(devices=[]):
        if spec.networks:
            generator, _ = make_networks(preset, domain, rows.shape[1], spec.networks)
        else:
            generator = Stub(domain, NetworkSettings(preset.z_dim, rows.shape[1], 0, 0, 0))
        generator.eval().requires_grad_(False)
        try:
            content = check(to_onnx(generator))
        except Exception as error:
            cause = error.__cause__ or error  # torch's own error is a page of advice
            raise broken(spec, function, expected, f"exporting it raised {one_line(cause)}") from error
        found = differences(generator, open_session(content), example_inputs(generator, rows, SAMPLES))
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise broken(spec, function, expected, f"ONNX makes {name} that differs from torch's by {difference:.2g}")


class Stub(BaseGenerator):
    """A generator without layers: the domain's part of the core's graph, which is linear in the latent."""

    @property
    def full_w_dim(self) -> int:
        """Length of w: embedded latent and conditions."""
        return self.domain.embedded_width(self.settings.z_dim) + self.settings.c_dim

    @property
    def layers(self) -> int:
        """One."""
        return 1

    def mapping(self, z: Tensor, condition: Tensor, truncation: Tensor) -> Tensor:
        """(n, w) from (n, z_dim), standardised (n, c_dim) and (1,)."""
        return torch.cat([self.domain.embed(truncation * z, condition), condition], 1)

    def synthesis(self, w: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Raw sample whose signals are one number of w, or the noise map's first channel beside it."""
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
