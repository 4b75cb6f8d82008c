"""jobs.toml: what a batch is to make, as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...api.conditions import Condition
from ...api.errors import InputError
from ...api.files import read_limited
from ...api.latents import MAX_SEED
from ...api.options import as_texts, option_values
from ...api.registry import load_format, load_generator
from ...api.texts import nearest
from ...api.toml_text import parse_toml
from ..conditions import MAX_SEEDS, Wish, parse_seeds, parse_size, parse_wish
from ..model import check_plugin, look_into
from ..pipeline import DEFAULT_TRUNCATION, Request
from ..recipe import MOST_SIDE, Recipe
from .plan import Job, Plan, Range

MAX_BYTES = 2**20
MOST_JOBS = 1000
MOST_VALUES = 1000  # of a slider in a grid
LOOKS = ("seeds", "count", "seed", "sliders", "truncation", "size", "crop", "window", "settings")

Text = Annotated[str, Field(max_length=1000)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Scalar = bool | Whole | float | Text


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FromTo(_Table):
    """Numbers that the seed draws from evenly."""

    low: float = Field(alias="from")
    high: float = Field(alias="to")


class AnyOf(_Table):
    """Choices that the seed draws from evenly."""

    any: list[Text] = Field(min_length=1, max_length=MOST_VALUES)


Values = Annotated[list[Scalar], Field(min_length=1, max_length=MOST_VALUES)]


class JobTable(_Table):
    """One `[[job]]`.

    Attributes:
        model: generator's name, run folder or model file.
        to: format; the generator's by default.
        seeds: "1-200", or one number.
        count, seed: so many seeds from that one on, in place of seeds.
        recipes: files, in place of seeds and looks.
        sliders: a value for all; a list for a grid; {from, to} or {any} to draw from.
        truncation, size, crop, window: as on the command line.
        options: of the format.
        settings: of the generator.
        name: template of the assets' names.
        folder: below the output folder.
        title: of the job; its number by default.
    """

    model: Text
    to: Text | None = None
    seeds: Text | Whole | None = None
    count: int | None = Field(default=None, ge=1, le=MAX_SEEDS)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    recipes: list[Text] = Field(default=[], max_length=MAX_SEEDS)
    sliders: dict[Text, Scalar | Values | FromTo | AnyOf] = Field(default={}, max_length=256)
    truncation: float = DEFAULT_TRUNCATION
    size: Text | Whole | None = None
    crop: bool = False
    window: int | None = Field(default=None, ge=1, le=MOST_SIDE)
    options: dict[Text, Scalar] = Field(default={}, max_length=64)
    settings: dict[Text, Scalar] = Field(default={}, max_length=64)
    name: Text = ""
    folder: Text = ""
    title: Text = ""


class Jobs(_Table):
    """The whole file."""

    job: list[JobTable] = Field(min_length=1, max_length=MOST_JOBS)


def read_jobs(path: Path) -> list[JobTable]:
    """Jobs of a file; InputError in one sentence where it is missing or broken."""
    content = read_limited(path, MAX_BYTES, "a file of jobs")
    try:
        raw = parse_toml(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML ({str(error)[:200]}).") from error
    try:
        return Jobs.model_validate(raw).job
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][:3])
        raise InputError(f"{path} makes no sense ({place}: {first['msg'][:200]}).") from error


def plan_of(tables: Sequence[JobTable], find: Callable[[str], Path], look: Callable[[str], Recipe]) -> Plan:
    """The plan of jobs, checked.

    Args:
        tables: the jobs.
        find: the model file that a name means.
        look: the recipe that a file holds.
    """
    jobs = []
    for number, table in enumerate(tables, start=1):
        try:
            jobs.append(job_of(table, f"{number}", find, look))
        except InputError as error:
            raise InputError(f"job {table.title or number}: {error}") from error
    plan = Plan(jobs)
    plan.check_names()
    return plan


def job_of(table: JobTable, number: str, find: Callable[[str], Path], look: Callable[[str], Recipe]) -> Job:
    """One job, checked."""
    file = look_into(find(table.model))
    spec = load_generator(file.manifest.generator)
    check_plugin(file, spec)
    exporter = load_format(spec, table.to)
    conditions = {condition.name: condition for condition in file.manifest.conditions}
    fixed: dict[str, Wish] = {}
    grid: dict[str, list[Wish]] = {}
    drawn: dict[str, Range | list[str]] = {}
    for name, value in table.sliders.items():
        if name not in conditions:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(conditions))}")
        if isinstance(value, list):
            grid[name] = [wish_of(conditions[name], one) for one in value]
        elif isinstance(value, (FromTo, AnyOf)):
            drawn[name] = range_of(conditions[name], value)
        else:
            fixed[name] = wish_of(conditions[name], value)
    request = Request(
        seeds_of(table),
        table.truncation,
        fixed,
        size=parse_size(None if table.size is None else str(table.size)),
        crop=table.crop,
        window=table.window,
        settings=option_values(spec.settings, as_texts(table.settings)),
    )
    recipes = tuple(map(look, table.recipes))
    options = option_values(exporter.options, as_texts(table.options))
    title = table.title or number
    job = Job(file, exporter.name, options, request, grid, drawn, recipes, table.name, table.folder, title)
    job.check(spec)
    return job


def seeds_of(table: JobTable) -> Sequence[int]:
    """Seeds of a job."""
    if table.recipes:
        for name in LOOKS:
            if name in table.model_fields_set:
                raise InputError(f"recipes say all of a look themselves; leave out {name}.")
        return ()
    if table.seeds is not None:
        if table.count or table.seed is not None:
            raise InputError("seeds and count say the same; give one of them.")
        return parse_seeds(str(table.seeds))
    first = 1 if table.seed is None else table.seed
    last = first + (table.count or 1) - 1
    if last > MAX_SEED:
        raise InputError(f"seeds end at {MAX_SEED}.")
    return range(first, last + 1)


def wish_of(condition: Condition, value: Scalar) -> Wish:
    """What a value of the file wishes of a slider."""
    if condition.choices or isinstance(value, str):
        return parse_wish(condition, str(value))
    return float(value)


def range_of(condition: Condition, value: FromTo | AnyOf) -> Range | list[str]:
    """What the seed draws a slider from."""
    if condition.switch:
        raise InputError(f"{condition.name} takes yes or no, or a list of both.")
    if isinstance(value, AnyOf):
        if not condition.choices:
            raise InputError(f"{condition.name} takes {{ from = ..., to = ... }}, not choices.")
        return value.any
    if condition.choices:
        raise InputError(f"{condition.name} takes {{ any = [...] }}, not a range.")
    if value.low > value.high:
        raise InputError(f"{condition.name} goes from {value.low:g} to {value.high:g}; write the smaller one first.")
    return value.low, value.high
