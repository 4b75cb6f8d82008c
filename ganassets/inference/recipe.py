"""Recipes: everything that is needed to make one asset again, as JSON.

Files carry the recipe of their asset, and commands accept a recipe wherever they accept a seed. A seed alone gives a
recipe, too. An edited asset (mixed, varied, moved along a slider, inverted from a picture) has a latent or an offset in
w that no seed gives; its recipe holds these numbers.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..api.errors import InputError
from ..api.latents import MAX_SEED
from .sizes import MAX_SIDE

SUFFIX = ".recipe.json"
MAX_BYTES = 8 * 2**20
MAX_NUMBERS = 2**20  # in a latent or an offset
SHORT, LONG = 200, 4000  # characters in names and in sentences
LITTLE = np.dtype("<f4")


def pack_floats(values: NDArray[np.float32]) -> str:
    """Encode numbers as base64 of little-endian float32."""
    return base64.b64encode(values.astype(LITTLE).tobytes()).decode("ascii")


def unpack_floats(text: str) -> NDArray[np.float32]:
    """Decode packed text to (n,) float32; ValueError unless all numbers are complete and finite."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("is not base64") from error
    if len(content) % LITTLE.itemsize or len(content) > LITTLE.itemsize * MAX_NUMBERS:
        raise ValueError("holds no whole number of float32, or too many")
    values = np.frombuffer(content, LITTLE).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("holds numbers that are not finite")
    return values


def _check_packed(text: str) -> str:
    unpack_floats(text)
    return text


Floats = Annotated[str, AfterValidator(_check_packed)]
ShortText = Annotated[str, Field(max_length=SHORT)]
Setting = bool | int | float | ShortText


Side = Annotated[int, Field(gt=0, le=MAX_SIDE)]


class FileFormat(BaseModel):
    """The format of the file that carries a recipe.

    Attributes:
        to: Name of the exporter.
        options: All its settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    to: ShortText
    options: dict[ShortText, Setting] = Field(default={}, max_length=64)


class SharedOptions(BaseModel):
    """The options of a request that its recipes keep as they are.

    Attributes:
        size: Samples along each axis (rows, columns); size-free models only.
        crop: Cut a size that is no multiple of the model's stride from the next larger one.
        window: Samples of an axis to compute at once; None chooses by the size.
    """

    size: tuple[Side, ...] | None = Field(default=None, max_length=2)
    crop: bool = False
    window: int | None = Field(default=None, gt=0, le=MAX_SIDE)


class _RecipeHead(BaseModel):
    """The fields of a recipe that stand before the shared options in its JSON."""

    format_version: Literal[1] = 1
    generator: ShortText
    generator_version: ShortText = ""
    software: ShortText = ""
    licence: str = Field(default="", max_length=LONG)
    model: str = Field(pattern="^[0-9a-f]{64}$")
    name: ShortText
    seed: int = Field(ge=0, le=MAX_SEED)
    truncation: float = Field(ge=0, le=1)
    condition: dict[ShortText, float] = Field(default={}, max_length=1024)


class Recipe(SharedOptions, _RecipeHead):
    """Everything that makes one asset.

    Attributes:
        generator, generator_version, software, licence: see ganassets.api.assets.Provenance.
        model: SHA-256 of the model file, hex.
        name: Name of the asset, the stem of its files.
        seed: Seed of the latent, unless there is a z, and of the noise map.
        truncation: 0 (the average) to 1 (the full variety).
        condition: Physical value of every column of the `condition` input.
        size, crop, window: see SharedOptions.
        settings: Settings of the plugin, by name.
        z: Packed latent; None for that of the seed.
        morph: A second seed, and how far the noise map is on the way to that seed's map, 0 to 1.
        w_offset: Packed offset in w: (w_dim) numbers for every layer, or (layers * w_dim).
        note: How the asset was found, for people.
        file: The format of the file that carries the recipe.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ignored_types=(cached_property,))

    settings: dict[ShortText, Setting] = Field(default={}, max_length=64)
    z: Floats | None = None
    morph: tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], Annotated[float, Field(ge=0, le=1)]] | None = None
    w_offset: Floats | None = None
    note: str = Field(default="", max_length=LONG)
    file: FileFormat | None = None

    @cached_property
    def row(self) -> NDArray[np.float32]:
        """The condition's values, (c,) float32."""
        return np.array(list(self.condition.values()), np.float32)

    def changed(self, **changes: Any) -> Recipe:
        """Copy the recipe with some fields replaced; InputError where a value doesn't fit."""
        fields = {name: getattr(self, name) for name in Recipe.model_fields}
        return recipe_of({**fields, **changes}, f"the recipe of {self.name}")

    def to_json(self) -> str:
        """Write the recipe as one line of JSON; fields with their default value are left out."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps({"format_version": self.format_version, **fields}, separators=(",", ":"))


def short_floats(values: NDArray[np.float32]) -> list[float]:
    """Return the shortest decimal numbers that round to these float32 values."""
    return [float(str(value)) for value in values]


def parse_recipe(text: str | bytes, where: str) -> Recipe:
    """Read a recipe from JSON.

    Args:
        text: The whole recipe.
        where: The file's name, for error messages.

    Raises:
        InputError: The text is no recipe, or of a newer format.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"{where} is too large for a recipe.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no recipe: it isn't JSON.") from error
    return recipe_of(raw, where)


def recipe_of(raw: object, where: str) -> Recipe:
    """Read a recipe from decoded JSON; see parse_recipe."""
    if isinstance(raw, Mapping):
        version = raw.get("format_version")
        if isinstance(version, int) and not isinstance(version, bool) and version > 1:
            raise InputError(f"{where} has a recipe of format {version}, this program reads 1; update ganassets.")
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:SHORT] or "top level"
        raise InputError(f"{where} holds no whole recipe ({place}: {first['msg'][:SHORT]}).") from error
