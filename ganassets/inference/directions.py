"""Directions in w: sliders that were found in a model, along which its outputs vary most.

They are kept in a small file beside the model. An amount of a direction is an offset in w.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..api.errors import InputError
from ..api.files import read_limited
from ..api.manifest import Manifest
from ..api.texts import suggest_name
from ..api.writer import write_atomic
from .recipe import Floats, unpack_floats

if TYPE_CHECKING:
    from .model import ModelFile

SUFFIX = ".sliders.json"
MAX_BYTES = 8 * 2**20
MAX_DIRECTIONS = 64  # in a file
MAX_AMOUNT = 10.0  # standard deviations
NAME = "^[a-z][a-z0-9_-]{0,39}$"

FloatArray = NDArray[np.float32]


class _DirectionModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Direction(_DirectionModel):
    """A direction in w that serves as a slider.

    Attributes:
        name: Name of the slider.
        vector: (w_dim) offset for an amount of 1, which is one standard deviation; packed.
        share: Share of the outputs' variation along this direction, 0 to 1.
        layers: Layers that the offset is added to; None for all.
    """

    name: str = Field(pattern=NAME)
    vector: Floats
    share: float = Field(ge=0, le=1)
    layers: tuple[Annotated[int, Field(ge=0, le=255)], ...] | None = None


class Directions(_DirectionModel):
    """A file of directions.

    Attributes:
        format_version: Format version of the file.
        generator: Generator of the model.
        model: SHA-256 of the model file, hex.
        directions: Each name once.
    """

    format_version: Literal[1] = 1
    generator: str = Field(max_length=200)
    model: str = Field(pattern="^[0-9a-f]{64}$")
    directions: tuple[Direction, ...] = Field(max_length=MAX_DIRECTIONS)


def directions_file(model: Path) -> Path:
    """Return the path of a model's file of directions, beside the model."""
    return model.with_name(model.stem + SUFFIX)


def read_directions(file: ModelFile) -> Directions:
    """Read the directions that were found in a model.

    Raises:
        InputError: There are none, or the file is damaged or of another model.
    """
    path = directions_file(file.path)
    if not path.is_file():
        raise InputError(f"{file.path} has no found sliders yet; find some with `ganassets sliders discover`.")
    try:
        found = Directions.model_validate(json.loads(read_limited(path, MAX_BYTES, "sliders")))
    except (ValueError, RecursionError, ValidationError) as error:
        raise InputError(f"{path} is damaged; find its sliders again with `ganassets sliders discover`.") from error
    names = [direction.name for direction in found.directions]
    if found.model != file.digest or any(
        len(unpack_floats(direction.vector)) != file.manifest.w_dim for direction in found.directions
    ):
        raise InputError(f"{path} is of another model; find its sliders again with `ganassets sliders discover`.")
    if len(set(names)) != len(names):
        raise InputError(f"{path} has two sliders of one name.")
    return found


def write_directions(file: ModelFile, directions: Sequence[Direction]) -> Path:
    """Write directions to the file beside their model, and return its path."""
    contents = Directions(generator=file.manifest.generator, model=file.digest, directions=tuple(directions))
    try:
        return write_atomic(
            directions_file(file.path), (contents.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
        )
    except InputError as error:
        raise InputError(f"{error} Copy the model into a folder of yours and name it by its path.") from error


def direction_offset(manifest: Manifest, direction: Direction, amount: float) -> FloatArray:
    """Return the offset in w for an amount of a direction, (layers, w_dim)."""
    offset = np.zeros((manifest.layers, manifest.w_dim), np.float32)
    layers = list(range(manifest.layers)) if direction.layers is None else list(direction.layers)
    offset[[layer for layer in layers if layer < manifest.layers]] = amount * unpack_floats(direction.vector)
    return offset


def offset_of_amounts(file: ModelFile, amounts: Mapping[str, float | str]) -> FloatArray | None:
    """Sum the offsets in w for amounts of directions.

    Args:
        file: The model.
        amounts: Amounts in standard deviations, by name.

    Returns:
        (layers, w_dim), or None without amounts.

    Raises:
        InputError: A name is unknown, or an amount is no number or out of range.
    """
    if not amounts:
        return None
    known = {direction.name: direction for direction in read_directions(file).directions}
    total = np.zeros((file.manifest.layers, file.manifest.w_dim), np.float32)
    for name, amount in amounts.items():
        if name not in known:
            raise InputError(f"no slider {name!r} was found in {file.path}; {suggest_name(name, list(known))}")
        total += direction_offset(file.manifest, known[name], parse_amount(name, amount))
    return total


def parse_amount(name: str, text: str | float) -> float:
    """Read an amount in standard deviations; InputError where it is no number or out of range."""
    try:
        amount = float(text)
    except ValueError as error:
        raise InputError(f"--slider {name} takes a number, not {text!r}.") from error
    if not abs(amount) <= MAX_AMOUNT:
        raise InputError(f"--slider {name} {text} is outside -{MAX_AMOUNT:g}..{MAX_AMOUNT:g} (standard deviations).")
    return amount


def discover(w: FloatArray, outputs: FloatArray, count: int) -> list[tuple[FloatArray, float]]:
    """Find the directions in w along which the outputs vary most.

    They are the singular vectors of the covariance of w and outputs (inter-battery factor analysis, Tucker 1958).
    GANSpace (Härkönen et al. 2020) takes the principal components of w alone; these say nothing where w contains the
    latent, whose numbers all have the same variance.

    Args:
        w: (n, w_dim) of random latents.
        outputs: (n, k) numbers of the model's outputs for them.
        count: Number of directions, at most w_dim.

    Returns:
        (w_dim,) vector of one standard deviation and share of the squared covariance for each direction, the strongest
        first. The largest number of a vector is positive.
    """
    centred, outcome = w - w.mean(0), outputs - outputs.mean(0)
    spread = np.maximum(centred.std(0), 1e-6)
    _, sizes, axes = np.linalg.svd(outcome.T.astype(np.float64) @ (centred / spread) / len(w), full_matrices=False)
    found = []
    for axis, size in zip(axes[:count], sizes[:count], strict=True):
        # Regression of w on the score: the mean of w where the score is one standard deviation.
        score = (centred / spread) @ axis
        vector = centred.T @ score / max(float(score @ score), 1e-12) * score.std()
        vector *= np.sign(vector[np.abs(vector).argmax()])
        found.append((vector.astype(np.float32), float(size**2 / max(float((sizes**2).sum()), 1e-30))))
    return found
