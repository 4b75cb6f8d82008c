"""A recipe: all that makes one asset again, as JSON. Files carry it, and it stands wherever a seed may stand.

A seed by itself is a recipe too. What was found by hand (a mix, a variation, a slider pulled, an inverted picture) is a
latent or an offset in w that no seed gives, so these stand in it as numbers.
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

SUFFIX = ".recipe.json"
MAX_BYTES = 8 * 2**20
MAX_NUMBERS = 2**20  # of a latent or an offset
MOST_SIDE = 2**16  # samples along an axis
SHORT, LONG = 200, 4000  # letters of names and of sentences
LITTLE = np.dtype("<f4")


def pack_floats(values: NDArray[np.float32]) -> str:
    """Base64 of little-endian float32."""
    return base64.b64encode(values.astype(LITTLE).tobytes()).decode("ascii")


def unpack_floats(text: str) -> NDArray[np.float32]:
    """(n,) float32 of packed text; ValueError unless it is whole and all are finite."""
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


def _checked(text: str) -> str:
    unpack_floats(text)
    return text


Floats = Annotated[str, AfterValidator(_checked)]
ShortText = Annotated[str, Field(max_length=SHORT)]
Setting = bool | int | float | ShortText


class Format(BaseModel):
    """The format of the file that carries a recipe.

    Attributes:
        to: name of the exporter.
        options: all its settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    to: ShortText
    options: dict[ShortText, Setting] = Field(default={}, max_length=64)


class Recipe(BaseModel):
    """What makes an asset.

    Attributes:
        generator, generator_version, software, licence: see ganassets.api.assets.Provenance.
        model: SHA-256 of the model file, hex.
        name: of the asset, the stem of its files.
        seed: of the latent, unless there is a z, and of the noise map.
        truncation: 0 to 1.
        condition: physical value of every column of the `condition` input.
        size: of size-free models, samples along each axis (rows, columns), where the plugin doesn't choose it.
        crop: the size was cut from the next larger one.
        window: samples of an axis that were computed at once, where it was told.
        settings: of the plugin, by name.
        z: the latent, where it isn't the seed's.
        morph: a second seed and how far the noise map is on the way to its map, 0 to 1.
        w_offset: (w_dim) for all layers alike, or (layers * w_dim), added to w.
        note: how it was found, for people.
        file: the format of the file that it stands in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ignored_types=(cached_property,))

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
    size: tuple[Annotated[int, Field(gt=0, le=MOST_SIDE)], ...] | None = Field(default=None, max_length=2)
    crop: bool = False
    window: int | None = Field(default=None, gt=0, le=MOST_SIDE)
    settings: dict[ShortText, Setting] = Field(default={}, max_length=64)
    z: Floats | None = None
    morph: tuple[Annotated[int, Field(ge=0, le=MAX_SEED)], Annotated[float, Field(ge=0, le=1)]] | None = None
    w_offset: Floats | None = None
    note: str = Field(default="", max_length=LONG)
    file: Format | None = None

    @cached_property
    def row(self) -> NDArray[np.float32]:
        """(c,) float32 the condition's values."""
        return np.array(list(self.condition.values()), np.float32)

    def changed(self, **changes: Any) -> Recipe:
        """A recipe with some fields replaced; InputError where they don't fit in one."""
        fields = {name: getattr(self, name) for name in Recipe.model_fields}
        return recipe_of({**fields, **changes}, f"the recipe of {self.name}")

    def to_json(self) -> str:
        """One line of JSON without what is as it always is."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps({"format_version": self.format_version, **fields}, separators=(",", ":"))


def short_floats(values: NDArray[np.float32]) -> list[float]:
    """The shortest numbers that are these float32 again when they are rounded."""
    return [float(str(value)) for value in values]


def parse_recipe(text: str | bytes, where: str) -> Recipe:
    """Recipe of JSON; InputError in one sentence where it is broken.

    Args:
        text: of the whole recipe.
        where: it comes from, for the message.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"{where} is too large for a recipe.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no recipe: it isn't JSON.") from error
    return recipe_of(raw, where)


def recipe_of(raw: object, where: str) -> Recipe:
    """Recipe of what JSON holds; InputError in one sentence where it is broken, or newer than this program."""
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
