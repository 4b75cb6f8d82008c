"""Draw the real samples of a comparison, and choose the compared outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...api.data import TrainingData
from ...api.errors import InputError
from ...api.plugin_calls import make_dataset
from ...api.spec import GeneratorSpec, Preset
from ...inference.model import Model
from ..networks import Domain, fit_linear
from ..plugin_domain import make_domain
from .feature_space import IMAGE_AXES, SAMPLES_PER_AXIS
from .samples import find_present_outputs, select_samples

if TYPE_CHECKING:
    from rich.console import Console

# Number of samples that the linear model is fitted to.
FIT_SAMPLES = 2048
# Fewest samples of a set.
MIN_SAMPLES = 2
# Outputs that a smaller share of the samples has are left out of the comparison.
MIN_PRESENT_SHARE = 0.6
# With fewer samples, distances are on fewer axes than usual, and real samples differ much from each other.
SMALL_SAMPLE = IMAGE_AXES * SAMPLES_PER_AXIS
# Added to the seed, so that the data differ from those of a training run with the same seed.
SEED_SHIFT = 1_000_003


@dataclass(frozen=True, eq=False)
class ComparisonData:
    """Real samples of a comparison.

    Attributes:
        spec: The generator, with the data's labels.
        domain: The plugin's domain, with the linear model.
        data: All samples that were drawn.
        names: Outputs that are compared.
        reference: Indices of the reference set.
        others: Indices of the set "real".
    """

    spec: GeneratorSpec
    domain: Domain
    data: TrainingData
    names: Sequence[str]
    reference: NDArray[np.int64]
    others: NDArray[np.int64]


def draw_comparison_data(
    spec: GeneratorSpec, preset: Preset, options: Mapping[str, Any], model: Model, samples: int, seed: int
) -> ComparisonData:
    """Draw fresh real samples, fit the linear model to some of them, and split the rest into two sets.

    A size-free generator has no linear model.

    Args:
        spec: Generator of the model.
        preset: Preset that the model was trained with.
        options: Options of the plugin's dataset.
        model: The model.
        samples: Samples per set; fewer when the data have fewer.
        seed: Random seed.

    Raises:
        InputError: The data can't be read, or have other labels than the model.
    """
    components = 0 if model.manifest.noise else max(preset.components, 1)
    for_fit = FIT_SAMPLES if components else 0
    data = draw_data(spec, preset, options, 2 * samples + for_fit, seed)
    spec = use_data_labels(spec, data, model)
    for_fit = min(for_fit, max(len(data) - 2 * samples, len(data) // 3)) if components else 0
    order = random_state(seed).permutation(len(data))
    # Nothing is measured on the samples that the linear model is fitted to.
    fitted, rest = order[:for_fit] if components else order, order[for_fit:]
    fit = fit_linear(select_samples(data, np.sort(fitted)), preset.z_dim, components, random_state(seed))
    domain = make_domain(spec, preset, fit)
    names, complete = choose_outputs(spec, domain, select_samples(data, rest))
    rest = rest[complete]
    count = min(samples, len(rest) // 2)
    return ComparisonData(spec, domain, data, names, rest[:count], rest[count : 2 * count])


def use_data_labels(spec: GeneratorSpec, data: TrainingData, model: Model) -> GeneratorSpec:
    """Return the spec with the labels of the data, if only the data define them; InputError unless the model's fit."""
    spec = spec if data.conditions_of is None else replace(spec, conditions=data.conditions_of)
    of_data, of_model = (
        [column for c in conditions for column in c.columns]
        for conditions in (spec.conditions, model.manifest.conditions)
    )
    if of_data != of_model:
        raise InputError(f"{model.path} was trained with other labels than these data have.")
    return spec


def print_data(
    data: TrainingData, samples: int, requested: int, console: Console, left_out: Sequence[str] = ()
) -> None:
    """Print which data are compared, and which files were left out.

    Args:
        data: The data.
        samples: Number of samples per set.
        requested: Number of samples per set that the user asked for.
        console: Where to print.
        left_out: Lines about files that were left out.

    Raises:
        InputError: There are too few samples.
    """
    for note in (*data.notes, *left_out):
        console.print(note, soft_wrap=True, markup=False)
    if samples < MIN_SAMPLES:
        raise InputError("too few samples of the data have all the maps to be compared; give data with more of them.")
    fewer = ", because the data have no more with all the maps" if samples < requested else ""
    small = ' Small sample: compare with the row "real" first.' if samples < SMALL_SAMPLE else ""
    text = f"Compared with {data.name} ({data.source}), {samples} samples in each set{fewer}.{small}"
    console.print(text, soft_wrap=True, markup=False)


def random_state(seed: int) -> np.random.Generator:
    """Return the random state of a comparison."""
    return np.random.default_rng([seed, SEED_SHIFT])


def draw_data(spec: GeneratorSpec, preset: Preset, options: Mapping[str, Any], count: int, seed: int) -> TrainingData:
    """Draw `count` fresh samples of the plugin's data."""

    def ignore_progress(done: int, total: int) -> None:
        del done, total

    return make_dataset(spec, replace(preset, samples=count), options, seed + SEED_SHIFT, ignore_progress)


def choose_outputs(spec: GeneratorSpec, domain: Domain, data: TrainingData) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the outputs that at least MIN_PRESENT_SHARE of the samples have, and (n,) which samples have all these."""
    has = find_present_outputs(domain, data)
    names = [o.name for o in spec.outputs if o.name not in has or has[o.name].mean() >= MIN_PRESENT_SHARE]
    complete = np.ones(len(data), np.bool_)
    for name in has.keys() & set(names):
        complete &= has[name]
    return names, complete
