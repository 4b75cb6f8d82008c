"""From seeds and wishes to assets: latents, likely conditions, the network, the plugin's decoder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .assets import Asset, Provenance
from .errors import InputError
from .latents import MAX_SEED, condition_row, latents
from .manifest import ConditionInfo, Manifest
from .plugins import nearest, run_plugin

if TYPE_CHECKING:
    from .model import Model
    from .spec import GeneratorSpec

MAX_SEEDS = 1_000_000
DEFAULT_TRUNCATION = 0.85

# A slider's value, or the shares of a category's choices.
Wish = float | Mapping[str, float]


@dataclass(frozen=True)
class Request:
    """What to generate.

    Attributes:
        seeds: one asset each.
        truncation: 0 (all alike) to 1 (the data's whole variety).
        wishes: by condition name: a slider's value, or shares of a category's choices (scaled to a sum of 1).
            Conditions without a wish are drawn from likely combinations by the seed.
        batch: assets that run through the network at once; no asset depends on it.
    """

    seeds: Sequence[int]
    truncation: float = DEFAULT_TRUNCATION
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    batch: int = 8

    def __post_init__(self) -> None:
        if not 0.0 <= self.truncation <= 1.0:
            raise InputError(f"truncation {self.truncation:g} is outside 0..1.")
        if self.batch < 1:
            raise InputError(f"a batch of {self.batch} is not possible; use 1 or more.")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds of "7", "1-200" or "1,5,9-12", each once, in the order written; InputError says what is wrong."""
    ranges = [_seed_range(part.strip()) for part in text.split(",")]
    if sum(last - first + 1 for first, last in ranges) > MAX_SEEDS:
        raise InputError(f"seeds {text!r} are more than {MAX_SEEDS:,}; ask for fewer at a time.")
    return tuple(dict.fromkeys(seed for first, last in ranges for seed in range(first, last + 1)))


def _seed_range(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if not match:
        raise InputError(f"seeds {part!r} make no sense; write 7, 1-200 or 1,5,9-12 (whole numbers from 0).")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise InputError(f"seeds {part!r} run backwards; write {last}-{first}.")
    if last > MAX_SEED:
        raise InputError(f"seed {last} is larger than {MAX_SEED}.")
    return first, last


def asset_name(generator: str, seed: int) -> str:
    """Name of a seed's asset and the stem of its files, "faces-00000007"."""
    return f"{generator}-{seed:08d}"


def wanted_row(conditions: Sequence[ConditionInfo], wishes: Mapping[str, Wish]) -> NDArray[np.float32]:
    """(c,) float32 the wishes as a row of the `condition` input, NaN where there is none.

    Raises:
        InputError: a name or choice is unknown, or a value is out of range.
    """
    known = {condition.name: condition for condition in conditions}
    for name in wishes:
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(known))}")
    parts = [
        _wanted_columns(condition, wishes[name]) if name in wishes else [np.nan] * condition.width
        for name, condition in known.items()
    ]
    return np.array([value for part in parts for value in part], np.float32)


def _wanted_columns(condition: ConditionInfo, wish: Wish) -> list[float]:
    """Values of one condition's columns."""
    if isinstance(wish, Mapping) != bool(condition.choices):
        kind = f"one of {', '.join(condition.choices)}" if condition.choices else "a number"
        raise InputError(f"{condition.name} takes {kind}.")
    if not isinstance(wish, Mapping):
        if not condition.low <= wish <= condition.high:
            unit = f" {condition.unit}" if condition.unit else ""
            raise InputError(f"{condition.name} {wish:g} is outside {condition.low:g}..{condition.high:g}{unit}.")
        return [float(wish)]
    for choice, share in wish.items():
        if choice not in condition.choices:
            raise InputError(f"{condition.name} has no {choice!r}; {nearest(choice, list(condition.choices))}")
        if not 0 <= share < np.inf:
            raise InputError(f"{condition.name}: the share of {choice} must be a positive number, not {share:g}.")
    total = sum(wish.values())
    if not total > 0:
        raise InputError(f"{condition.name}: at least one share must be above 0.")
    return [wish.get(choice, 0.0) / total for choice in condition.choices]


def condition_matrix(manifest: Manifest, seeds: Sequence[int], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, c) float32 physical values: for each seed a likely combination that keeps to the wishes."""
    rows = np.array(manifest.condition_rows, np.float32).reshape(-1, manifest.condition_width)
    return np.stack([condition_row(seed, rows, wanted) for seed in seeds])


def generate(model: Model, spec: GeneratorSpec, request: Request) -> Iterator[list[Asset]]:
    """Assets batch by batch, in the order of the seeds; wishes are checked before the first.

    Args:
        model: opened and checked against spec.
        spec: the plugin that decodes.
        request: what to make.
    """
    manifest = model.manifest
    wanted = wanted_row(manifest.conditions, request.wishes)
    return (
        _generate_batch(model, spec, request.truncation, seeds, condition_matrix(manifest, seeds, wanted))
        for seeds in _batches(request.seeds, request.batch)
    )


def _batches(seeds: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(seeds)
    while part := list(islice(rest, size)):
        yield part


def _generate_batch(
    model: Model, spec: GeneratorSpec, truncation: float, seeds: list[int], condition: NDArray[np.float32]
) -> list[Asset]:
    manifest = model.manifest
    arrays = model.run(latents(seeds, manifest.z_dim), condition, truncation)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(f"{model.path} makes {name} with numbers that are not finite; train it again.")
    columns = [column for c in manifest.conditions for column in c.columns]
    provenances = [
        Provenance(
            generator=f"{manifest.generator} {manifest.generator_version}",
            model_digest=model.digest,
            seed=seed,
            truncation=truncation,
            sliders={column: float(value) for column, value in zip(columns, row, strict=True)},
            licence=manifest.licence,
            software=f"ganassets {__version__}",
        )
        for seed, row in zip(seeds, condition, strict=True)
    ]
    names = [asset_name(manifest.generator, seed) for seed in seeds]
    return run_plugin(f"{spec.name}'s decoder", spec.decode, arrays, manifest, names, provenances)
