"""The manifest: JSON in a model file's metadata, under the key "ganassets", that describes the model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .conditions import Condition
from .errors import InputError
from .outputs import Output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT_VERSION = 1
METADATA_KEY = "ganassets"
SHARED_KEY = "ganassets.shared"  # JSON: parameters that the graph stores under another parameter's name
MAX_BYTES = 4 * 1024 * 1024
MAX_COLUMNS = 1024
MAX_OFFSETS = 2**20  # numbers in the input w_offset of one asset

MAX_NAME, MAX_LINE, MAX_CHOICE = 80, 4000, 100  # characters
MAX_NUMBER = 1e30  # stays finite in float32

NAME_PATTERN = "^[a-z][a-z0-9]*([-_][a-z0-9]+)*$"
LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]*$"  # no control characters
# Names become parts of recipes, options and file names.
Name = Annotated[str, Field(max_length=MAX_NAME, pattern=NAME_PATTERN)]
Line = Annotated[str, Field(max_length=MAX_LINE, pattern=LINE_PATTERN)]
ShortLine = Annotated[Line, Field(max_length=MAX_CHOICE)]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


def _check_condition(condition: Condition) -> Condition:
    """Return a condition from a file; ValueError when a text or a number is outside the limits of manifests."""
    if len(condition.name) > MAX_NAME or not re.fullmatch(NAME_PATTERN, condition.name):
        raise ValueError(f"name should match pattern {NAME_PATTERN!r} and have at most {MAX_NAME} characters")
    lines = {"help": condition.help, "unit": condition.unit}
    choices = {f"choices.{i}": choice for i, choice in enumerate(condition.choices)}
    for places, most in ((lines, MAX_LINE), (choices, MAX_CHOICE)):
        for place, text in places.items():
            if len(text) > most or not re.fullmatch(LINE_PATTERN, text):
                raise ValueError(f"{place} should be one line of at most {most} characters")
    if not (abs(condition.low) <= MAX_NUMBER and abs(condition.high) <= MAX_NUMBER):
        raise ValueError(f"low and high should lie between -{MAX_NUMBER:g} and {MAX_NUMBER:g}")
    return condition


def _check_output(output: Output) -> Output:
    """Return an output from a file; ValueError when it has no axes."""
    if not output.axes:
        raise ValueError("axes should have at least 1 item")
    return output


StoredCondition = Annotated[Condition, AfterValidator(_check_condition)]
StoredOutput = Annotated[Output, AfterValidator(_check_output)]


class _Section(BaseModel):
    # Conditions and outputs are validated also when they are given as objects: a slider's bounds become floats.
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, revalidate_instances="always")


class DataInfo(_Section):
    """Training data of the model.

    Attributes:
        name: Name of the data.
        licence: Licence of the data.
        samples: Number of samples.
        source: Origin of the data.
    """

    name: str
    licence: str
    samples: int = Field(ge=0)
    source: str = ""


class TrainingInfo(_Section):
    """Training run of the model.

    Attributes:
        preset: Name of the preset.
        objective: See OBJECTIVES in ganassets.api.spec.
        kimg: Length of the training in thousands of images.
        seconds: Duration of the training.
        seed: Random seed.
        device: "cpu", "cuda", ...
    """

    preset: str
    objective: str
    kimg: float
    seconds: float
    seed: int
    device: str


class Parity(_Section):
    """Difference between the outputs of onnxruntime and of torch.

    Attributes:
        latents: Number of latents compared.
        batches: Batch sizes compared.
        max_abs_difference: Largest absolute difference by output.
    """

    latents: int
    batches: tuple[int, ...]
    max_abs_difference: dict[str, float]


class WStatistics(_Section):
    """Statistics of w over random latents and the data's conditions.

    Attributes:
        mean: Mean of each component.
        std: Standard deviation of each component.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


class NoiseInfo(_Section):
    """Noise map that a size-free generator starts from.

    Attributes:
        channels: Number of channels.
        stride: Sizes are multiples of it.
        reach: Distance in samples beyond which the map doesn't affect a sample; windows of a large map overlap by it.
        size: Samples along every axis in training; the default size.
    """

    channels: int = Field(gt=0, le=256)
    stride: int = Field(gt=0, le=256)
    reach: int = Field(ge=0, le=4096)
    size: int = Field(gt=0, le=4096)


class Manifest(_Section):
    """Description of a model file.

    Attributes:
        format_version: Version of this format.
        generator: Name of the plugin.
        generator_version: Version of the plugin that trained the model.
        software: "ganassets 0.1.0".
        z_dim: Size of the latent z.
        w_dim: Size of the latent w.
        layers: Number of layers that take a w of their own.
        outputs: Outputs of the graph.
        conditions: Sliders and categories, in the order of the columns of the input `condition`.
        condition_rows: Likely combinations of conditions, as physical values (years, shares).
        w_statistics: Statistics of w.
        noise: Noise map of a size-free generator; None for others.
        static_digests: SHA-256 in hex of the plugin's package data that the model depends on, by name.
        data: Training data.
        training: Training run.
        parity: Comparison of the exported graph with the trained network.
        licence: Licence of what the model generates.
        created: Time of the export, ISO 8601 in UTC.
        arrays: Arrays that the file carries for the plugin, by name (see ganassets.api.model_arrays). They stand beside
            the manifest's JSON, not in it.

    >>> manifest = Manifest(
    ...     generator="walls", generator_version="1.0", software="ganassets 0.1.0", z_dim=8, w_dim=16, layers=3,
    ...     outputs=(Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),),
    ...     conditions=(Condition("wear", "0 is new."),), condition_rows=((0.2,), (0.8,)),
    ...     w_statistics=WStatistics(mean=(0.0,), std=(1.0,)),
    ...     data=DataInfo(name="my walls", licence="CC0-1.0", samples=40),
    ...     training=TrainingInfo(preset="quick", objective="rpgan", kimg=4, seconds=60, seed=0, device="cpu"),
    ...     parity=Parity(latents=8, batches=(1,), max_abs_difference={"albedo": 1e-6}),
    ...     licence="CC0-1.0", created="2026-01-31T12:00:00+00:00",
    ... )
    >>> manifest.condition_width, manifest.rows.shape, manifest.arrays
    (1, (2, 1), {})
    """

    format_version: Literal[1] = FORMAT_VERSION
    generator: Name
    generator_version: ShortLine
    software: str
    z_dim: int = Field(gt=0, le=4096)
    w_dim: int = Field(gt=0, le=16384)
    layers: int = Field(gt=0, le=256)
    outputs: tuple[StoredOutput, ...] = Field(min_length=1)
    conditions: tuple[StoredCondition, ...]
    condition_rows: tuple[tuple[Number, ...], ...]
    w_statistics: WStatistics
    noise: NoiseInfo | None = None
    static_digests: dict[str, str] = {}
    data: DataInfo
    training: TrainingInfo
    parity: Parity
    licence: Line
    created: str
    arrays: dict[str, Any] = Field(default={}, exclude=True)

    @property
    def condition_width(self) -> int:
        """Number of columns of the `condition` input."""
        return sum(condition.width for condition in self.conditions)

    @cached_property
    def rows(self) -> NDArray[np.float32]:
        """The condition rows as an (r, c) float32 array."""
        import numpy as np

        return np.array(self.condition_rows, np.float32).reshape(len(self.condition_rows), self.condition_width)

    @cached_property
    def choice_columns(self) -> NDArray[np.bool_]:
        """Mask (c,) of the columns that are choices or switches."""
        from .latents import choice_columns

        return choice_columns(self.rows)


def parse_manifest(text: str, where: str) -> Manifest:
    """Read a manifest from JSON.

    Args:
        text: The JSON.
        where: Name of the file, for messages.

    Raises:
        InputError: The manifest is broken, larger than MAX_BYTES or of a newer format.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"{where} carries a manifest larger than {MAX_BYTES} bytes.")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} carries a manifest that is not JSON.") from error
    version = cast("dict[str, Any]", raw).get("format_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise InputError(
            f"{where} has a manifest of format {version}, this program reads up to {FORMAT_VERSION}; update ganassets."
        )
    if isinstance(raw, dict):  # arrays don't belong in the JSON
        cast("dict[str, Any]", raw).pop("arrays", None)
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
    """Yield problems between fields, which the types of single fields can't express."""
    width = manifest.condition_width
    names = {condition.name for condition in manifest.conditions}
    columns = {column for condition in manifest.conditions for column in condition.columns}
    if any(len(row) != width for row in manifest.condition_rows) or not manifest.condition_rows:
        yield f"condition_rows: each row needs {width} values"
    if len(names) != len(manifest.conditions) or len(columns) != width or width > MAX_COLUMNS:
        yield f"conditions: names must differ, and at most {MAX_COLUMNS:,} columns are allowed"
    if manifest.layers * manifest.w_dim > MAX_OFFSETS:
        yield f"layers: times w_dim must be at most {MAX_OFFSETS:,}"
    if manifest.noise and max(len(output.axes) for output in manifest.outputs) < 2:
        yield "noise: no output has an axis in addition to its channels"
