"""The JSON that a model file carries about itself, in its metadata under "ganassets"."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT_VERSION = 1
METADATA_KEY = "ganassets"
SHARED_KEY = "ganassets.shared"  # JSON: parameters that the graph holds under another's name
MAX_BYTES = 4 * 1024 * 1024
MOST_COLUMNS = 1024
MOST_OFFSETS = 2**20  # numbers of an offset in w

# Recipes, options and file names are made of these.
Name = Annotated[str, Field(max_length=80, pattern="^[a-z][a-z0-9]*([-_][a-z0-9]+)*$")]
Line = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Choice = Annotated[Line, Field(max_length=100)]
Number = Annotated[float, Field(ge=-1e30, le=1e30)]  # stays finite in float32


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class OutputInfo(_Part):
    """An output of the graph; see ganassets.api.spec.Output."""

    name: str
    axes: tuple[str, ...] = Field(min_length=1)
    unit: str
    low: float | None = None
    high: float | None = None


class ConditionInfo(_Part):
    """A slider or category; see ganassets.api.spec.Condition."""

    name: Name
    help: Line = ""
    low: Number = 0.0
    high: Number = 1.0
    unit: Line = ""
    choices: tuple[Choice, ...] = ()
    switch: bool = False

    @property
    def width(self) -> int:
        """Columns it takes in the `condition` input."""
        return len(self.choices) or 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns: ("age",) or ("ancestry:african", ...)."""
        return tuple(f"{self.name}:{choice}" for choice in self.choices) or (self.name,)


class DataInfo(_Part):
    """What the model was trained on."""

    name: str
    licence: str
    samples: int = Field(ge=0)
    source: str = ""


class TrainingInfo(_Part):
    """How it was trained."""

    preset: str
    objective: str
    kimg: float
    seconds: float
    seed: int
    device: str


class Parity(_Part):
    """How far onnxruntime's outputs lie from torch's: largest absolute difference by output, over `latents`."""

    latents: int
    batches: tuple[int, ...]
    max_abs_difference: dict[str, float]


class WStatistics(_Part):
    """Mean and standard deviation of w over random latents and the data's conditions."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class NoiseInfo(_Part):
    """The noise map that a size-free generator starts from.

    Attributes:
        channels: of the map.
        stride: sizes are multiples of it.
        reach: samples beyond which the map does not matter to a sample; windows of a large map overlap by it.
        size: samples of every axis in training, the size to start with.
    """

    channels: int = Field(gt=0, le=256)
    stride: int = Field(gt=0, le=256)
    reach: int = Field(ge=0, le=4096)
    size: int = Field(gt=0, le=4096)


class Manifest(_Part):
    """See the module's text. Condition rows are physical values (years, shares), one row a likely combination."""

    format_version: Literal[1] = FORMAT_VERSION
    generator: Name
    generator_version: Choice
    software: str
    z_dim: int = Field(gt=0, le=4096)
    w_dim: int = Field(gt=0, le=16384)
    layers: int = Field(gt=0, le=256)
    outputs: tuple[OutputInfo, ...] = Field(min_length=1)
    conditions: tuple[ConditionInfo, ...]
    condition_rows: tuple[tuple[Number, ...], ...]
    w_statistics: WStatistics
    noise: NoiseInfo | None = None
    static_digests: dict[str, str] = {}
    data: DataInfo
    training: TrainingInfo
    parity: Parity
    licence: Line
    created: str

    @property
    def condition_width(self) -> int:
        """Columns of the `condition` input."""
        return sum(condition.width for condition in self.conditions)

    @cached_property
    def rows(self) -> NDArray[np.float32]:
        """(r, c) float32 condition_rows as an array, made once."""
        import numpy as np

        return np.array(self.condition_rows, np.float32).reshape(len(self.condition_rows), self.condition_width)

    @cached_property
    def choice_columns(self) -> NDArray[np.bool_]:
        """(c,) which columns hold choices and switches, found once."""
        from .latents import choice_columns

        return choice_columns(self.rows)


def parse_manifest(text: str, where: str) -> Manifest:
    """Manifest from JSON; InputError in one sentence when it is broken or newer than this program."""
    import json

    if len(text) > MAX_BYTES:
        raise InputError(f"{where} carries a manifest larger than {MAX_BYTES} bytes.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} carries a manifest that is not JSON.") from error
    version = raw.get("format_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise InputError(
            f"{where} has a manifest of format {version}, this program reads up to {FORMAT_VERSION}; update ganassets."
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        raise InputError(f"{where} carries a broken manifest ({place}: {first['msg']}).") from error
    for problem in _contradictions(manifest):
        raise InputError(f"{where} carries a broken manifest ({problem}).")
    return manifest


def _contradictions(manifest: Manifest) -> Iterator[str]:
    """What single fields can't say."""
    width = manifest.condition_width
    names = {condition.name for condition in manifest.conditions}
    columns = {column for condition in manifest.conditions for column in condition.columns}
    if any(len(row) != width for row in manifest.condition_rows) or not manifest.condition_rows:
        yield f"condition_rows: each row needs {width} values"
    if len(names) != len(manifest.conditions) or len(columns) != width or width > MOST_COLUMNS:
        yield f"conditions: names must differ, and {MOST_COLUMNS:,} columns are the most"
    if manifest.layers * manifest.w_dim > MOST_OFFSETS:
        yield f"layers: times w_dim must be at most {MOST_OFFSETS:,}"
    if manifest.noise and max(len(output.axes) for output in manifest.outputs) < 2:
        yield "noise: no output has an axis beside its channels"
