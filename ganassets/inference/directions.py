"""Sliders that were found in a model: directions in w along which what it makes varies most.

They are kept in a small file beside the model, and an amount of one is an offset in w.
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
from ..api.registry import nearest
from ..api.writer import write_atomic
from .recipe import Floats, unpack_floats

if TYPE_CHECKING:
    from .model import ModelFile

SUFFIX = ".sliders.json"
MAX_BYTES = 8 * 2**20
MOST = 64  # directions in a file
MOST_AMOUNT = 10.0  # standard deviations
NAME = "^[a-z][a-z0-9_-]{0,39}$"

FloatArray = NDArray[np.float32]


class _DirectionModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Direction(_DirectionModel):
    """A slider.

    Attributes:
        name: that it is called by.
        vector: (w_dim) what an amount of 1, a standard deviation, adds to w.
        share: of what was made to vary, how much varies along it, 0 to 1.
        layers: that it is added to; None for all.
    """

    name: str = Field(pattern=NAME)
    vector: Floats
    share: float = Field(ge=0, le=1)
    layers: tuple[Annotated[int, Field(ge=0, le=255)], ...] | None = None


class Directions(_DirectionModel):
    """A file of sliders.

    Attributes:
        generator, model: whose they are; the model by its SHA-256.
        directions: each name once.
    """

    format_version: Literal[1] = 1
    generator: str = Field(max_length=200)
    model: str = Field(pattern="^[0-9a-f]{64}$")
    directions: tuple[Direction, ...] = Field(max_length=MOST)


def file_of(model: Path) -> Path:
    """Where a model's sliders are kept: beside it."""
    return model.with_name(model.stem + SUFFIX)


def read_directions(file: ModelFile) -> Directions:
    """The sliders that were found in a model; InputError where there are none, or they are another model's."""
    path = file_of(file.path)
    if not path.is_file():
        raise InputError(f"{file.path} has no sliders of its own yet; find some with `ganassets sliders discover`.")
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
    """Keep sliders beside their model."""
    kept = Directions(generator=file.manifest.generator, model=file.digest, directions=tuple(directions))
    try:
        return write_atomic(file_of(file.path), (kept.model_dump_json(indent=1, exclude_none=True) + "\n").encode())
    except InputError as error:
        raise InputError(f"{error} Copy the model into a folder of yours and name it by its path.") from error


def offset_of(manifest: Manifest, direction: Direction, amount: float) -> FloatArray:
    """(layers, w_dim) what an amount of a slider adds to w."""
    offset = np.zeros((manifest.layers, manifest.w_dim), np.float32)
    layers = list(range(manifest.layers)) if direction.layers is None else list(direction.layers)
    offset[[layer for layer in layers if layer < manifest.layers]] = amount * unpack_floats(direction.vector)
    return offset


def offset_of_amounts(file: ModelFile, amounts: Mapping[str, float | str]) -> FloatArray | None:
    """(layers, w_dim) what amounts of found sliders add to w, None without any; InputError where one is unknown."""
    if not amounts:
        return None
    known = {direction.name: direction for direction in read_directions(file).directions}
    total = np.zeros((file.manifest.layers, file.manifest.w_dim), np.float32)
    for name, amount in amounts.items():
        if name not in known:
            raise InputError(f"no slider {name!r} was found in {file.path}; {nearest(name, list(known))}")
        total += offset_of(file.manifest, known[name], parse_amount(name, amount))
    return total


def parse_amount(name: str, text: str | float) -> float:
    """Standard deviations; InputError where it is no number or too large to be meant."""
    try:
        amount = float(text)
    except ValueError as error:
        raise InputError(f"--slider {name} takes a number, not {text!r}.") from error
    if not abs(amount) <= MOST_AMOUNT:
        raise InputError(f"--slider {name} {text} is outside -{MOST_AMOUNT:g}..{MOST_AMOUNT:g} (standard deviations).")
    return amount


def discover(w: FloatArray, made: FloatArray, count: int) -> list[tuple[FloatArray, float]]:
    """Directions in w that vary most together with what is made: the singular vectors of their covariance
    (inter-battery factor analysis, Tucker 1958). GANSpace (Härkönen et al. 2020) takes w's own principal components,
    which say nothing where w holds a latent whose numbers are all alike.

    Args:
        w: (n, w_dim) of random latents.
        made: (n, k) what was made of them.
        count: of directions, at most w_dim.

    Returns:
        for each (w_dim,), a standard deviation long, and its share of the squared covariance; the strongest first. The
        sign is such that the largest number is positive.
    """
    centred, outcome = w - w.mean(0), made - made.mean(0)
    spread = np.maximum(centred.std(0), 1e-6)
    _, sizes, axes = np.linalg.svd(outcome.T.astype(np.float64) @ (centred / spread) / len(w), full_matrices=False)
    found = []
    for axis, size in zip(axes[:count], sizes[:count], strict=True):
        # What w has along it on average where it is one deviation out: the regression of w on the score.
        score = (centred / spread) @ axis
        vector = centred.T @ score / max(float(score @ score), 1e-12) * score.std()
        vector *= np.sign(vector[np.abs(vector).argmax()])
        found.append((vector.astype(np.float32), float(size**2 / max(float((sizes**2).sum()), 1e-30))))
    return found
