"""Samples of a comparison as the model file gives them: real ones, and sizes that fit each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...api.data import PER_SAMPLE, TrainingData, as_float
from ...api.errors import GanassetsError

BATCH = 16


def part_of(data: TrainingData, index: NDArray[np.int64]) -> TrainingData:
    """Some of the samples."""
    signals = {name: array[index] for name, array in data.signals.items()}
    vectors = {name: array[index] for name, array in data.vectors.items()}
    extras = {name: getattr(data, name) for name in PER_SAMPLE}
    some = {name: None if array is None else array[index] for name, array in extras.items()}
    return replace(data, signals=signals, vectors=vectors, conditions=data.conditions[index], **some)


def present(domain: Any, data: TrainingData) -> dict[str, NDArray[np.bool_]]:
    """(n,) whether a sample has an output, by the names of the domain's masks; other outputs are of all samples."""
    if data.masks is None:
        return {}
    parts: dict[str, list[NDArray[np.bool_]]] = {}
    for start in range(0, len(data), BATCH):
        some = slice(start, start + BATCH)
        arrays = {name: as_float(array[some]) for name, array in data.signals.items()} | {"mask": data.masks[some]}
        masks = domain.mask({name: torch.from_numpy(array) for name, array in arrays.items()})
        for name, mask in masks.items():
            parts.setdefault(name, []).append(mask.flatten().numpy() > 0)
    return {name: np.concatenate(found) for name, found in parts.items()}


def in_batches(make: Callable[[slice], Mapping[str, Any]], count: int) -> dict[str, NDArray[np.float32]]:
    """Outputs by name of `make` over slices of [0, count), joined."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    with torch.no_grad():
        for start in range(0, count, BATCH):
            for name, value in make(slice(start, min(start + BATCH, count))).items():
                value = value.cpu() if isinstance(value, torch.Tensor) else value
                parts.setdefault(name, []).append(np.asarray(value, np.float32))
    return {name: np.concatenate(values) for name, values in parts.items()}


def outputs_of(domain: Any, data: TrainingData, index: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """Real samples as the model would give them, by output name."""
    device = domain.condition_mean.device

    def make(part: slice) -> Mapping[str, Any]:
        signals, vectors, conditions = data.batch(index[part])
        raw = {name: torch.from_numpy(as_float(a)).to(device) for name, a in (signals | vectors).items()}
        return domain.finish(raw, torch.from_numpy(conditions).to(device))

    outputs = in_batches(make, len(index))
    for name, array in outputs.items():
        wrong = ~np.isfinite(array).reshape(len(array), -1).all(1)
        if wrong.any():
            raise GanassetsError(f"{name} of sample {index[wrong.argmax()]} of the data is not finite.")
    return outputs


def cropped(array: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """(n, channels, *size) without so many samples at both ends of each axis."""
    inner = slice(margin, -margin or None)
    return array[(slice(None), slice(None), *[inner] * (array.ndim - 2))]


def fitted(array: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """(n, channels, *size) middle of a larger (n, channels, *other size), or a smaller one gone on with as if it
    wrapped; without axes after the channels, the array itself.
    """
    difference = [wanted - have for wanted, have in zip(size, array.shape[2:], strict=True)]
    inner = [slice(max(-d, 0) // 2, max(-d, 0) // 2 + min(w, w - d)) for d, w in zip(difference, size, strict=True)]
    ends = [(max(d, 0) // 2, max(d, 0) - max(d, 0) // 2) for d in difference]
    return np.pad(array[(slice(None), slice(None), *inner)], [(0, 0), (0, 0), *ends], mode="wrap")
