"""Plan a batch: number the assets of resolved requests, name them and compute their keys, without making any."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ... import __version__
from ...api.errors import InputError
from ...api.latents import condition_row, uniforms
from ...api.registry import load_generator
from ..conditions import ConditionValue, check_learned, encode_conditions
from ..latent_edits import add_offset
from ..pipeline import check_recipe, condition_of, map_size
from ..recipe import FileFormat, Recipe, SharedOptions, pack_floats, recipe_of
from ..request import GenerationRequest
from .names import DEFAULT, DEFAULT_OF_GRIDS, NameValue, asset_name, check_folder_name, check_name, compile_template

if TYPE_CHECKING:
    from ...api.spec import GeneratorSpec
    from ..model import ModelFile

MAX_UNITS = 1_000_000
MAX_COMBINATIONS = 10_000  # combinations of a grid's values
DRAW_STREAM = 2**20  # first stream of random numbers for conditions that the seed draws

Interval = tuple[float, float]


@dataclass(frozen=True)
class BatchUnit:
    """One asset of a batch.

    Attributes:
        name: Name of the asset.
        seed: Seed of the asset.
        conditions: Values of the conditions that are not left to the seed.
        recipe: Recipe of the asset, in place of both; None for a seed.
    """

    name: str
    seed: int
    conditions: Mapping[str, ConditionValue] = field(default_factory=dict)
    recipe: Recipe | None = None


@dataclass(frozen=True, eq=False)
class ResolvedRequest:
    """A request that was checked against its model: one model, one format, many assets.

    Attributes:
        request: What the user asked for.
        file: The model.
        exporter, options: name of the format, and all its settings.
        settings: All settings of the generator.
        seeds: One asset for each, or one for each combination of the grid.
        conditions: Values that all assets have.
        grid: Values by condition; each seed is made with all combinations.
        drawn: An interval or choices by condition; each seed draws one of them evenly.
        size: Size of the recipes of seeds: the request's, or the model's default; None where the plugin chooses it.
        recipes: Recipes in place of seeds.
        offset: (layers, w_dim) added to w of each seed, or None.
        title: Name of the job in messages and of its contact sheet.
    """

    request: GenerationRequest
    file: ModelFile
    exporter: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] = ()
    conditions: Mapping[str, ConditionValue] = field(default_factory=dict)
    grid: Mapping[str, Sequence[ConditionValue]] = field(default_factory=dict)
    drawn: Mapping[str, Interval | Sequence[str]] = field(default_factory=dict)
    size: tuple[int, ...] | None = None
    recipes: Sequence[Recipe] = ()
    offset: NDArray[np.float32] | None = None
    title: str = ""

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to send to another process, without cached values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def generator(self) -> str:
        """Name of the model's generator."""
        return self.file.manifest.generator

    @property
    def folder(self) -> str:
        """Subfolder of the output folder; "" for the folder itself."""
        return self.request.folder

    def __len__(self) -> int:
        return len(self.recipes) or len(self.seeds) * len(self.combinations)

    @cached_property
    def combinations(self) -> list[dict[str, ConditionValue]]:
        """Combinations of the grid's values; one empty combination without a grid."""
        return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]

    @cached_property
    def _name(self) -> Callable[[Mapping[str, NameValue]], str]:
        conditions = {condition.name: condition for condition in self.file.manifest.conditions}
        types = {name: str if conditions[name].choices else float for name in (*self.grid, *self.drawn)}
        fields = {**types, "generator": str, "job": str, "seed": int, "place": int, "number": int}
        template = self.request.name or (DEFAULT_OF_GRIDS if len(self.combinations) > 1 else DEFAULT)
        return compile_template(template, fields)

    def unit(self, index: int) -> BatchUnit:
        """Return the unit with an index; it is the same each time."""
        if self.recipes:
            recipe = self.recipes[index]
            if self.request.name:
                recipe = recipe.changed(name=self._name(self._name_fields(recipe.seed, 0, index)))
            return BatchUnit(recipe.name, recipe.seed, recipe=recipe)
        number, place = divmod(index, len(self.combinations))
        seed = self.seeds[number]
        drawn = {name: draw_condition(seed, name, choices) for name, choices in self.drawn.items()}
        conditions = {**self.conditions, **self.combinations[place], **drawn}
        values = {name: name_value(conditions[name]) for name in (*self.grid, *self.drawn)}
        return BatchUnit(self._name({**values, **self._name_fields(seed, place, index)}), seed, conditions)

    def _name_fields(self, seed: int, place: int, index: int) -> dict[str, NameValue]:
        """Return the fields that every name template may use."""
        return {"generator": self.generator, "job": self.title, "seed": seed, "place": place + 1, "number": index + 1}

    def path(self, unit: BatchUnit) -> str:
        """Return a unit's name with its subfolder; no two units of a plan have the same."""
        return f"{self.folder}/{unit.name}" if self.folder else unit.name

    def recipe(self, unit: BatchUnit) -> Recipe:
        """Return the recipe that a unit's files carry; without a format where the request has none."""
        recipe = unit.recipe or self.seed_recipe(unit.seed, unit.name, unit.conditions)
        recipe = self.add_offset(recipe)
        return recipe.model_copy(update={"file": self._format}) if self.exporter else recipe

    def add_offset(self, recipe: Recipe) -> Recipe:
        """Add the request's offset in w to a recipe."""
        return recipe if self.offset is None else add_offset(self.file.manifest, recipe, self.offset)

    def seed_recipe(self, seed: int, name: str = "", conditions: Mapping[str, ConditionValue] | None = None) -> Recipe:
        """Return the recipe of a seed.

        Args:
            seed: Seed of the asset.
            name: Name of the asset; by default the generator's and the seed.
            conditions: Values to keep; by default those of the request. The seed draws the others.

        Raises:
            InputError: A value is out of range, or something is too long for a recipe.
        """
        manifest = self.file.manifest
        fixed = encode_conditions(manifest.conditions, self.conditions if conditions is None else conditions)
        row = condition_row(seed, manifest.rows, fixed, manifest.choice_columns)
        name = name or asset_name(manifest.generator, seed)
        fields = {**self._common_fields, "name": name, "seed": seed, "condition": condition_of(manifest, row)}
        return recipe_of(fields, f"the recipe of {name}")

    @cached_property
    def _common_fields(self) -> dict[str, Any]:
        """The fields that the recipes of all seeds share."""
        manifest = self.file.manifest
        return {
            "generator": manifest.generator,
            "generator_version": manifest.generator_version,
            "software": f"ganassets {__version__}",
            "licence": manifest.licence,
            "model": self.file.digest,
            "truncation": self.request.truncation,
            **self._shared_options,
            "size": self.size,
            "settings": dict(self.settings),
        }

    @property
    def _shared_options(self) -> dict[str, Any]:
        return {name: getattr(self.request, name) for name in SharedOptions.model_fields}

    @cached_property
    def _format(self) -> FileFormat:
        try:
            return FileFormat(to=self.exporter, options=dict(self.options))
        except ValidationError as error:
            raise InputError(f"a setting of {self.exporter} is too long to be kept in its files.") from error

    @cached_property
    def _common_key(self) -> str:
        parts = [__version__, load_generator(self.generator).version, self.file.digest, self.exporter, self.options]
        parts += [self.folder, self.request.truncation, *self._shared_options.values(), self.settings]
        return canonical_json([*parts, "" if self.offset is None else pack_floats(self.offset)])

    def key(self, unit: BatchUnit) -> str:
        """Hash everything that a unit's files depend on, as 16 hexadecimal digits."""
        own = unit.recipe.to_json() if unit.recipe else canonical_json([unit.name, unit.seed, unit.conditions])
        return hashlib.sha256(f"{self._common_key}\n{own}".encode()).hexdigest()[:16]

    def check(self, spec: GeneratorSpec) -> None:
        """Check all that can be checked without making an asset.

        Raises:
            InputError: A name, a recipe, a value, the grid or the size doesn't fit.
        """
        check_folder_name(self.folder)
        if self.title:
            check_name(self.title)  # of the contact sheet
        for recipe in self.recipes:
            check_recipe(self.file, spec, recipe)
            check_name(recipe.name)
        self._check_conditions()
        map_size(self.file.manifest, spec, self.request)
        if len(self):
            self.recipe(self.unit(0))  # finds what is too long for a recipe

    def _check_conditions(self) -> None:
        """Check each combination of the grid with both ends of the intervals that seeds draw from."""
        count = math.prod(map(len, self.grid.values()))
        if count > MAX_COMBINATIONS:
            raise InputError(f"a grid of {count:,} looks is too large; at most {MAX_COMBINATIONS:,} are possible.")
        ends = [
            {name: {end: 1.0} if isinstance(end, str) else end} for name, drawn in self.drawn.items() for end in drawn
        ]
        for combination in self.combinations:
            for end in ends or [{}]:
                values = {**self.conditions, **combination, **end}
                encode_conditions(self.file.manifest.conditions, values)
                check_learned(self.file.manifest, values)


def canonical_json(value: Any) -> str:
    """Write canonical JSON: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def draw_condition(seed: int, name: str, choices: Interval | Sequence[str]) -> ConditionValue:
    """Draw a condition's value by a seed; it depends on the seed and the name alone."""
    share = float(uniforms(seed, 1, DRAW_STREAM + crc32(name.encode()))[0])
    if isinstance(choices[0], str):
        return {str(choices[int(share * len(choices))]): 1.0}
    low, high = (float(end) for end in choices)
    return round(low + share * (high - low), 6)


def name_value(value: ConditionValue) -> NameValue:
    """Return how a condition's value stands in a name: a number, or the choices joined by "+"."""
    return "+".join(value) if isinstance(value, Mapping) else float(value)


class Plan:
    """Resolved requests one after the other, with their units numbered consecutively.

    Args:
        jobs: The resolved requests.

    Raises:
        InputError: There are more than MAX_UNITS units.
    """

    def __init__(self, jobs: Sequence[ResolvedRequest]) -> None:
        self.jobs = tuple(jobs)
        self.starts = [0, *itertools.accumulate(map(len, self.jobs))]
        if len(self) > MAX_UNITS:
            raise InputError(f"{len(self):,} assets are more than {MAX_UNITS:,}; ask for fewer at a time.")

    def __len__(self) -> int:
        return self.starts[-1]

    def job_at(self, index: int) -> int:
        """Return the number of the job that a unit belongs to."""
        return bisect_right(self.starts, index) - 1

    def unit(self, index: int) -> tuple[ResolvedRequest, BatchUnit]:
        """Return a unit and its job."""
        k = self.job_at(index)
        return self.jobs[k], self.jobs[k].unit(index - self.starts[k])

    def __iter__(self) -> Iterator[tuple[ResolvedRequest, BatchUnit]]:
        return (self.unit(i) for i in range(len(self)))

    def check_names(self) -> None:
        """Raise InputError where two units would write the same files, or two jobs the same contact sheet."""
        titles: set[str] = set()
        for job in self.jobs:
            if job.title.lower() in titles:
                raise InputError(f"two jobs have the title {job.title!r}; give each its own.")
            titles.add(job.title.lower())
        seen: set[str] = set()
        for job, unit in self:
            path = job.path(unit).lower()
            if path in seen:
                raise InputError(f"two assets would have the name {unit.name!r}; give the jobs different names.")
            seen.add(path)

    def folders(self, out: Path) -> list[Path]:
        """Return the folders that files are written to."""
        return list(dict.fromkeys(out / job.folder for job in self.jobs))
