"""What keeps samples from being trained on, found before the first step. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import TrainingData

if TYPE_CHECKING:
    from ..spec import Condition, GeneratorSpec, Preset

ROWS = 256  # samples that are looked at together, to save memory
SIGNAL_TYPES = ("uint8", "float16", "float32")
TOLERANCE = 1e-3  # of shares


def data_problem(spec: GeneratorSpec, preset: Preset, data: TrainingData) -> str:
    """The first thing that is wrong with samples of a generator, naming the array and the sample; "" when all is well.

    Args:
        spec: the generator.
        preset: sizes; of a size-free generator samples may be of any.
        data: the samples.
    """
    return next(_problems(spec, preset, data), "")


def _problems(spec: GeneratorSpec, preset: Preset, data: TrainingData) -> Iterator[str]:
    yield from _texts(data)
    axes, n = len(spec.wraps), len(data)
    if not isinstance(data.signals, dict) or not isinstance(data.vectors, dict) or not data.signals:
        yield "signals and vectors must be dicts of arrays, with at least one signal"
        return
    for name, array in data.signals.items():
        yield from _array(f"signal {name!r}", array, SIGNAL_TYPES, (n, None, *[None] * axes))
    for name, array in data.vectors.items():
        yield from _array(f"vector {name!r}", array, ("float32",), (n, None))
    conditions = data.conditions_of if data.conditions_of is not None else spec.conditions
    width = sum(condition.width for condition in conditions)
    yield from _array("conditions", data.conditions, ("float32",), (n, width))
    yield from _extras(data, preset, n, axes)
    for name, array in data.constants.items():
        yield from _array(f"constant {name!r}", array, ("float32",), None)
    yield from _values(data.conditions, conditions)


def _texts(data: TrainingData) -> Iterator[str]:
    for name in ("name", "licence", "source"):
        if not isinstance(getattr(data, name), str):
            yield f"{name} must be a text"
    if not all(isinstance(line, str) for line in data.notes):
        yield "notes must be texts"


def _extras(data: TrainingData, preset: Preset, n: int, axes: int) -> Iterator[str]:
    """Problems of what samples may have beside signals, vectors and conditions."""
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
            # A latent that is NaN is free.
            yield from _array(name, array, types, shape, _not_infinite if name == "latents" else np.isfinite)
    if data.latents is not None and data.latents.shape[1] > preset.z_dim:
        yield f"latents have {data.latents.shape[1]} columns, more than the preset's z_dim of {preset.z_dim}"


def _not_infinite(array: NDArray) -> NDArray[np.bool_]:
    return ~np.isinf(array)


def _array(
    what: str,
    array: object,
    types: Sequence[str],
    shape: tuple[int | None, ...] | None,
    allowed: Callable[[NDArray], NDArray[np.bool_]] = np.isfinite,
) -> Iterator[str]:
    """Problems of an array: its type, its shape (None: any), numbers that aren't allowed."""
    if not isinstance(array, np.ndarray) or array.dtype.name not in types:
        found = array.dtype.name if isinstance(array, np.ndarray) else type(array).__name__
        yield f"{what} must be an array of {' or '.join(types)}, not {found}"
        return
    fits = shape is None or (
        len(shape) == array.ndim and all(w in (None, size) for w, size in zip(shape, array.shape, strict=True))
    )
    if not fits:
        wanted = " x ".join("any" if size is None else str(size) for size in shape or ())
        yield f"{what} must have shape {wanted}, not {' x '.join(map(str, array.shape))}"
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
    """Problems of conditions' values: shares of categories that are none, sliders in another unit than they say.

    Single samples may lie outside a slider's range, which is what users may ask for.
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
