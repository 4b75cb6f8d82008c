"""What a batch is to make: jobs of units, an asset each, told without making anything."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ... import __version__
from ...api.errors import InputError
from ...api.latents import uniforms
from ...api.registry import load_generator
from ..conditions import Wish
from ..latent_edits import pulled
from ..pipeline import Request, check_recipe, check_request, seed_recipe
from ..recipe import Format, Recipe, pack_floats
from .names import DEFAULT, DEFAULT_OF_GRIDS, Value, check_folder_name, check_name, compiled

if TYPE_CHECKING:
    from ...api.spec import GeneratorSpec
    from ..model import ModelFile

MOST_UNITS = 1_000_000
MOST_COMBINATIONS = 10_000  # of a grid's values
DRAW_STREAM = 2**20  # and up, one for each slider that is drawn by the seed

Range = tuple[float, float]


@dataclass(frozen=True)
class Unit:
    """One asset to make.

    Attributes:
        name: of the asset.
        seed: of the asset.
        wishes: for its sliders.
        recipe: that takes the place of both.
    """

    name: str
    seed: int
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    recipe: Recipe | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """One model, one format, many assets.

    Attributes:
        file: the model.
        exporter, options: the format and all its settings.
        request: seeds, and what all assets have in common.
        grid: sliders with the values that each seed is made with, in all combinations.
        drawn: sliders that the seed draws evenly: of a range, or of choices.
        recipes: in place of seeds.
        template: of names; see names.compiled.
        folder: below the output folder, "" for itself.
        title: what the job is called.
        offset: (layers, w_dim) that is added to w of each, or None.
    """

    file: ModelFile
    exporter: str
    options: Mapping[str, Any]
    request: Request
    grid: Mapping[str, Sequence[Wish]] = field(default_factory=dict)
    drawn: Mapping[str, Range | Sequence[str]] = field(default_factory=dict)
    recipes: Sequence[Recipe] = ()
    template: str = ""
    folder: str = ""
    title: str = ""
    offset: NDArray[np.float32] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: nothing that is kept only to save time."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def generator(self) -> str:
        """Name of the model's generator."""
        return self.file.manifest.generator

    def __len__(self) -> int:
        return len(self.recipes) or len(self.request.seeds) * len(self.combinations)

    @cached_property
    def combinations(self) -> list[dict[str, Wish]]:
        """Of the grid's values; one without any where there is no grid."""
        return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]

    @cached_property
    def _name(self) -> Callable[[Mapping[str, Value]], str]:
        conditions = {condition.name: condition for condition in self.file.manifest.conditions}
        told = {name: str if conditions[name].choices else float for name in (*self.grid, *self.drawn)}
        fields = {**told, "generator": str, "job": str, "seed": int, "place": int, "number": int}
        template = self.template or (DEFAULT_OF_GRIDS if len(self.combinations) > 1 else DEFAULT)
        return compiled(template, fields)

    def unit(self, index: int) -> Unit:
        """The unit of that index, the same whenever it is asked for."""
        if self.recipes:
            recipe = self.recipes[index]
            if self.template:
                recipe = recipe.changed(name=self._name(self._plain(recipe.seed, 0, index)))
            return Unit(recipe.name, recipe.seed, recipe=recipe)
        at, place = divmod(index, len(self.combinations))
        seed = self.request.seeds[at]
        drawn = {name: draw(seed, name, choices) for name, choices in self.drawn.items()}
        wishes = {**self.request.wishes, **self.combinations[place], **drawn}
        values = {name: value_of(wishes[name]) for name in (*self.grid, *self.drawn)}
        return Unit(self._name({**values, **self._plain(seed, place, index)}), seed, wishes)

    def _plain(self, seed: int, place: int, index: int) -> dict[str, Value]:
        """What a name may tell of any unit."""
        return {"generator": self.generator, "job": self.title, "seed": seed, "place": place + 1, "number": index + 1}

    def path(self, unit: Unit) -> str:
        """A unit's name below the output folder: what no two units have in common."""
        return f"{self.folder}/{unit.name}" if self.folder else unit.name

    def recipe(self, spec: GeneratorSpec, unit: Unit) -> Recipe:
        """All that makes a unit's file."""
        made = unit.recipe or seed_recipe(self.file, spec, self.request, unit.seed, unit.name, unit.wishes)
        if self.offset is not None:
            made = pulled(self.file.manifest, made, self.offset)
        return made.model_copy(update={"file": self._format})

    @cached_property
    def _format(self) -> Format:
        try:
            return Format(to=self.exporter, options=dict(self.options))
        except ValidationError as error:
            raise InputError(f"a setting of {self.exporter} is too long to be kept in its files.") from error

    @cached_property
    def _common(self) -> str:
        request = self.request
        versions = [__version__, load_generator(self.generator).version]
        parts = [*versions, self.file.digest, self.exporter, self.options, self.folder, request.truncation]
        offset = "" if self.offset is None else pack_floats(self.offset)
        return as_json([*parts, request.size, request.crop, request.window, request.settings, offset])

    def key(self, unit: Unit) -> str:
        """What tells whether a unit that was made is the one that is wanted."""
        own = unit.recipe.to_json() if unit.recipe else as_json([unit.name, unit.seed, unit.wishes])
        return hashlib.sha256(f"{self._common}\n{own}".encode()).hexdigest()[:16]

    def check(self, spec: GeneratorSpec) -> None:
        """InputError where anything in it can't be made, as far as can be told without making it."""
        check_folder_name(self.folder)
        if self.title:
            check_name(self.title)  # a contact sheet is called after it
        for recipe in self.recipes:
            check_recipe(self.file, spec, recipe)
            check_name(recipe.name)
        looks = math.prod(map(len, self.grid.values()))
        if looks > MOST_COMBINATIONS:
            raise InputError(f"a grid of {looks:,} looks is too large; at most {MOST_COMBINATIONS:,} are possible.")
        ends = [(k, v) for k in self.drawn for v in self.drawn[k]]
        for combination in self.combinations:
            wishes = {**self.request.wishes, **combination}
            for name, value in ends or [("", 0.0)]:
                end: dict[str, Wish] = {name: {value: 1.0} if isinstance(value, str) else value} if name else {}
                check_request(self.file.manifest, spec, replace(self.request, wishes={**wishes, **end}))
        if len(self):
            self.recipe(spec, self.unit(0))  # tells what is too long for a recipe


def as_json(value: Any) -> str:
    """Canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def draw(seed: int, name: str, choices: Range | Sequence[str]) -> Wish:
    """What a seed draws for a slider: the same number wherever it is drawn, whatever else is."""
    share = float(uniforms(seed, 1, DRAW_STREAM + crc32(name.encode()))[0])
    if isinstance(choices[0], str):
        return {str(choices[int(share * len(choices))]): 1.0}
    low, high = (float(end) for end in choices)
    return round(low + share * (high - low), 6)


def value_of(wish: Wish) -> Value:
    """A wish in a name: a number, or the choices."""
    return "+".join(wish) if isinstance(wish, Mapping) else float(wish)


class Plan:
    """Jobs one after the other, their units numbered through.

    Raises:
        InputError: two units have one name, or there are too many.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = tuple(jobs)
        self.starts = [0, *itertools.accumulate(map(len, self.jobs))]
        if len(self) > MOST_UNITS:
            raise InputError(f"{len(self):,} assets are more than {MOST_UNITS:,}; ask for fewer at a time.")

    def __len__(self) -> int:
        return self.starts[-1]

    def job_at(self, index: int) -> int:
        """Number of the job that a unit is of."""
        return bisect_right(self.starts, index) - 1

    def unit(self, index: int) -> tuple[Job, Unit]:
        """A unit and its job."""
        k = self.job_at(index)
        return self.jobs[k], self.jobs[k].unit(index - self.starts[k])

    def __iter__(self) -> Iterator[tuple[Job, Unit]]:
        return (self.unit(i) for i in range(len(self)))

    def check_names(self) -> None:
        """InputError where two units would have the same files, or two jobs the same contact sheet."""
        titles: set[str] = set()
        for job in self.jobs:
            if job.title.lower() in titles:
                raise InputError(f"two jobs have the title {job.title!r}; give each its own.")
            titles.add(job.title.lower())
        seen: set[str] = set()
        for job, unit in self:
            path = job.path(unit).lower()
            if path in seen:
                raise InputError(f"two assets would have the name {unit.name!r}; tell them apart in the jobs' names.")
            seen.add(path)

    def folders(self, out: Path) -> list[Path]:
        """Folders that files go to."""
        return list(dict.fromkeys(out / job.folder for job in self.jobs))
