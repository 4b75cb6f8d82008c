"""The request for assets: one class for the command line, files of jobs, Blender and Python.

A request holds what the user asked for, each field checked by itself. `ganassets.inference.resolve` reads the model and
checks the request against it; the result knows the recipe of each asset.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from ..api.errors import InputError
from ..api.latents import MAX_SEED
from .recipe import SharedOptions, Side
from .seeds import MAX_SEEDS, consecutive_seeds, parse_seeds
from .sizes import check_size, parse_size

DEFAULT_TRUNCATION = 0.85
MAX_VALUES = 1000  # values of a condition in a grid
RANGE_KEYS = frozenset({"from", "to", "any"})

Text = Annotated[str, Field(max_length=1000)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Scalar = bool | Integer | float | Text


class _FrozenModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class ConditionRange(_FrozenModel):
    """An interval; each seed draws a number from it evenly."""

    low: float = Field(alias="from")
    high: float = Field(alias="to")


class ConditionChoices(_FrozenModel):
    """Some choices of a category; each seed draws one of them evenly."""

    any: list[Text] = Field(min_length=1, max_length=MAX_VALUES)


def _check_shares(shares: dict[str, float]) -> dict[str, float]:
    if RANGE_KEYS & shares.keys():
        raise ValueError("a range has the keys from and to, a draw from choices the key any")
    return shares


def _is_short(value: object) -> bool:
    """Return whether a value is a text, or a whole number that has a text (Python refuses very long ones)."""
    if isinstance(value, Integral) and not isinstance(value, bool):  # also numpy's integers
        return abs(int(value)) < 2**64
    return isinstance(value, str)


def _read_seeds(value: object) -> object:
    """Turn any way to write seeds into a tuple of numbers."""
    if _is_short(value):
        return parse_seeds(str(value))
    if value is None:
        return None
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return tuple(value)
    raise InputError(f"seeds must be whole numbers from 0 to {MAX_SEED}, such as 7, 1-200 or 1,5,9-12.")


def _read_size(value: object) -> object:
    """Turn any way to write a size into rows and columns."""
    if _is_short(value):
        value = parse_size(str(value))
    if isinstance(value, (tuple, list)) and value and all(isinstance(side, int) for side in value):
        check_size(value)
    return value


Values = Annotated[list[Scalar], Field(min_length=1, max_length=MAX_VALUES)]
Shares = Annotated[dict[Text, float], Field(max_length=MAX_VALUES), AfterValidator(_check_shares)]
RequestedValue = Scalar | Values | ConditionRange | ConditionChoices | Shares
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]

if TYPE_CHECKING:  # what callers may write; it is kept as numbers
    Seeds = Sequence[int] | str | int | None
    Size = tuple[int, ...] | str | int | None
else:
    Seeds = Annotated[tuple[Seed, ...] | None, BeforeValidator(_read_seeds)]
    Size = Annotated[tuple[Side, ...] | None, Field(max_length=2), BeforeValidator(_read_size)]


class GenerationRequest(SharedOptions):
    """Request for assets, as the user wrote it.

    Attributes:
        model: A generator's name, a run folder or a model file.
        seeds: "7", "1-200", "1,5,9-12", one number, or numbers; one asset each.
        count: Number of assets, in place of `seeds`.
        seed: First seed, with `count`.
        recipes: Recipe files, or files that carry a recipe, in place of seeds.
        conditions: Value of each slider or category by its name: a number, a choice, a mix of choices
            ("asian:0.5,african:0.5"), a list (one asset of each seed for each value), or a range or choices that each
            seed draws from. The seed chooses the other conditions. Files of jobs say `sliders`.
        directions: Amount of each slider found by `ganassets sliders discover`, in standard deviations.
        truncation: 0 (the average) to 1 (the full variety).
        size: "1024x512" (width x height), one number for both, or (rows, columns); size-free models only.
        crop, window: see SharedOptions.
        settings: Settings of the generator, by name.
        to: Name of the format; None for the generator's own.
        options: Options of the format, by name.
        name: Template of the assets' names, such as "{material}-{seed:05d}"; "" for the default.
        folder: Subfolder of the output folder.
        title: Name of the job in messages and of its contact sheet.

    Raises:
        InputError: A field has a wrong value, or fields contradict each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: Text
    seeds: Seeds = None
    count: int | None = Field(default=None, ge=1, le=MAX_SEEDS)
    seed: Seed | None = None
    recipes: tuple[Text, ...] = Field(default=(), max_length=MAX_SEEDS)
    conditions: dict[Text, RequestedValue] = Field(
        default={}, max_length=256, validation_alias=AliasChoices("conditions", "sliders")
    )
    directions: dict[Text, float | Text] = Field(default={}, max_length=64)
    truncation: float = Field(default=DEFAULT_TRUNCATION, ge=0, le=1)
    size: Size = None  # pyright: ignore[reportIncompatibleVariableOverride]  # kept as SharedOptions says
    settings: dict[Text, Scalar] = Field(default={}, max_length=64)
    to: Text | None = None
    options: dict[Text, Scalar] = Field(default={}, max_length=64)
    name: Text = ""
    folder: Text = ""
    title: Text = ""

    @model_validator(mode="wrap")
    @classmethod
    def _raise_input_error(cls, raw: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(raw)
        except ValidationError as error:
            raise InputError(f"{describe_validation_error(error)}.") from error

    @model_validator(mode="after")
    def _check_seeds(self) -> Self:
        given = [name for name in ("seeds", "count", "seed") if getattr(self, name) is not None]
        if self.recipes and given:
            raise InputError(f"recipes replace seeds; leave out {' and '.join(given)}.")
        if self.seeds is not None and len(given) > 1:
            raise InputError(f"seeds already says which assets; leave out {' and '.join(given[1:])}, or seeds.")
        self.chosen_seeds()
        return self

    def chosen_seeds(self) -> Sequence[int]:
        """Return the seeds that are asked for; none where there are recipes."""
        if self.recipes:
            return ()
        if self.seeds is not None:
            assert not isinstance(self.seeds, (str, int)), "they are kept as numbers"
            return self.seeds
        return consecutive_seeds(1 if self.seed is None else self.seed, self.count or 1)


def describe_validation_error(error: ValidationError) -> str:
    """Describe the first problem of a request: the field, what is wrong, and the value."""
    errors = error.errors()
    place = ".".join(map(str, errors[0]["loc"][:2]))[:200] or "the request"
    # Of a field with several types, the last one is text, which says most.
    first = [one for one in errors if one["loc"][:2] == errors[0]["loc"][:2]][-1]
    if place.startswith(("conditions.", "sliders.")) and len(first["loc"]) > 2:
        return f"{place}: write a number, a choice, a list of values, {{ from = 1, to = 2 }} or {{ any = [...] }}"
    value = ""
    if first["type"] not in ("missing", "extra_forbidden"):
        with contextlib.suppress(ValueError):  # Python writes no very long numbers
            value = f" (not {str(first['input'])[:80]!r})"
    return f"{place}: {first['msg'][:200]}{value}"
