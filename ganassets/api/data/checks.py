"""Checks of training samples before the first step. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from ..conditions import Condition
from . import TrainingData

ROWS = 256  # samples checked at a time, to save memory
SIGNAL_TYPES = ("uint8", "float16", "float32")
TOLERANCE = 1e-3  # tolerance of sums and bounds of shares


def data_problem(data: TrainingData, conditions: Sequence[Condition], axes: int, z_dim: int) -> str:
    """Return the first problem of training samples, naming the array and the sample, or "".

    Args:
        data: The samples.
        conditions: The generator's conditions, for data without their own.
        axes: Number of axes of the signals.
        z_dim: Size of the latent z.
    """
    return next(_problems(data, conditions, axes, z_dim), "")


def _problems(data: TrainingData, conditions: Sequence[Condition], axes: int, z_dim: int) -> Iterator[str]:
    yield from _texts(data)
    n = len(data)
    # A plugin may fill the fields with anything.
    if not is_dict(data.signals) or not is_dict(data.vectors) or not data.signals:
        yield "signals and vectors must be dicts of arrays, with at least one signal"
        return
    for name, array in data.signals.items():
        yield from _array(f"signal {name!r}", array, SIGNAL_TYPES, (n, None, *[None] * axes))
    for name, array in data.vectors.items():
        yield from _array(f"vector {name!r}", array, ("float32",), (n, None))
    conditions = data.conditions_of if data.conditions_of is not None else conditions
    width = sum(condition.width for condition in conditions)
    yield from _array("conditions", data.conditions, ("float32",), (n, width))
    yield from _extras(data, z_dim, n, axes)
    for name, array in data.constants.items():
        yield from _array(f"constant {name!r}", array, ("float32",), None)
    yield from _values(data.conditions, conditions)


def _texts(data: TrainingData) -> Iterator[str]:
    for name in ("name", "licence", "source"):
        if not isinstance(getattr(data, name), str):
            yield f"{name} must be a text"
    if not all(isinstance(line, str) for line in cast("Sequence[object]", data.notes)):
        yield "notes must be texts"


def _extras(data: TrainingData, z_dim: int, n: int, axes: int) -> Iterator[str]:
    """Yield problems of the optional arrays beside signals, vectors and conditions."""
    kinds: Mapping[str, tuple[Sequence[str], tuple[int | None, ...]]] = {
        "latents": (("float32",), (n, None)),
        "noise_seeds": (("int64",), (n,)),
        "masks": (("float32",), (n, None)),
        "tiles": (("bool",), (n,)),
        "structure": (("float32",), (n, None, *[None] * axes)),
    }
    for name, (types, shape) in kinds.items():
        array = getattr(data, name)
        if array is not None:
            # NaN marks a latent that is free.
            yield from _array(name, array, types, shape, _not_infinite if name == "latents" else np.isfinite)
    if data.latents is not None and data.latents.shape[1] > z_dim:
        yield f"latents have {data.latents.shape[1]} columns, more than the preset's z_dim of {z_dim}"


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether a value is a dict."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[NDArray[Any]]:
    """Whether a value is a numpy array."""
    return isinstance(value, np.ndarray)


def _not_infinite(array: NDArray[Any]) -> NDArray[np.bool_]:
    return ~np.isinf(array)


def _array(
    what: str,
    array: object,
    types: Sequence[str],
    shape: tuple[int | None, ...] | None,
    allowed: Callable[[NDArray[Any]], NDArray[np.bool_]] = np.isfinite,
) -> Iterator[str]:
    """Yield problems of an array: its type, its shape (None: any) or numbers that aren't allowed."""
    found = array.dtype.name if is_array(array) else type(array).__name__
    if not is_array(array) or found not in types:
        yield f"{what} must be an array of {' or '.join(types)}, not {found}"
        return
    fits = shape is None or (
        len(shape) == array.ndim
        and all(size in (None, length) for size, length in zip(shape, array.shape, strict=True))
    )
    if not fits:
        expected = " x ".join("any" if size is None else str(size) for size in shape or ())
        yield f"{what} must have shape {expected}, not {' x '.join(map(str, array.shape))}"
        return
    if array.dtype.kind != "f":
        return
    for start in range(0, len(array), ROWS):
        rows = array[start : start + ROWS]
        wrong = ~allowed(rows).reshape(len(rows), -1).all(1)
        if wrong.any():
            sample = int(wrong.argmax())
            value = next(iter(rows[sample][~allowed(rows[sample])].ravel()), None) if rows.ndim > 1 else rows[sample]
            yield f"{what} of sample {start + sample} holds {value}"
            return


def _values(array: NDArray[np.float32], conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield problems of conditions' values: shares outside 0..1, and sliders that seem to be in another unit.

    Single samples may lie outside a slider's range: it only bounds what users may ask for.
    """
    start = 0
    for condition in conditions:
        values = array[:, start : start + condition.width]
        start += condition.width
        if condition.choices:
            wrong = ((values < -TOLERANCE) | (values > 1 + TOLERANCE)).any(1)
            if wrong.any():
                sample = int(wrong.argmax())
                yield f"condition {condition.name!r} of sample {sample} has shares outside 0..1"
        else:
            outside = (values[:, 0] < condition.low) | (values[:, 0] > condition.high)
            if outside.mean() > 0.5:
                sample = int(outside.argmax())
                yield (
                    f"condition {condition.name!r} lies outside {condition.low:g}..{condition.high:g} in most samples "
                    f"({values[sample, 0]:g} in sample {sample})"
                )
