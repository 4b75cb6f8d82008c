"""Select real samples, compute their outputs as the model file would, and match the sizes of sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...api.data import PER_SAMPLE, TrainingData, as_float
from ...api.errors import GanassetsError
from ..networks import Domain

# Number of samples at a time.
BATCH = 16


def select_samples(data: TrainingData, index: NDArray[np.int64]) -> TrainingData:
    """Return some of the samples."""
    signals = {name: array[index] for name, array in data.signals.items()}
    vectors = {name: array[index] for name, array in data.vectors.items()}
    extras = {name: getattr(data, name) for name in PER_SAMPLE}
    selected = {name: None if array is None else array[index] for name, array in extras.items()}
    return replace(data, signals=signals, vectors=vectors, conditions=data.conditions[index], **selected)


def find_present_outputs(domain: Domain, data: TrainingData) -> dict[str, NDArray[np.bool_]]:
    """Return (n,) whether each sample has an output, by the names of the domain's masks.

    All samples have the outputs that are not named.
    """
    if data.masks is None:
        return {}
    parts: dict[str, list[NDArray[np.bool_]]] = {}
    for start in range(0, len(data), BATCH):
        rows = slice(start, start + BATCH)
        arrays = {name: as_float(array[rows]) for name, array in data.signals.items()} | {"mask": data.masks[rows]}
        masks = domain.mask({name: torch.from_numpy(array) for name, array in arrays.items()})
        for name, mask in masks.items():
            parts.setdefault(name, []).append(mask.flatten().numpy() > 0)
    return {name: np.concatenate(found) for name, found in parts.items()}


def run_in_batches(
    run: Callable[[slice], Mapping[str, NDArray | Tensor]], count: int
) -> dict[str, NDArray[np.float32]]:
    """Run a function on slices of [0, count), and concatenate its outputs by name."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    with torch.no_grad():
        for start in range(0, count, BATCH):
            for name, value in run(slice(start, min(start + BATCH, count))).items():
                array = value.cpu().numpy() if isinstance(value, Tensor) else value
                parts.setdefault(name, []).append(np.asarray(array, np.float32))
    return {name: np.concatenate(values) for name, values in parts.items()}


def compute_real_outputs(
    domain: Domain, data: TrainingData, index: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of real samples by name, as a perfect model would make them.

    Raises:
        GanassetsError: A sample's output is not finite.
    """
    device = domain.condition_mean.device

    def finish(rows: slice) -> Mapping[str, Tensor]:
        signals, vectors, conditions = data.batch(index[rows])
        raw = {name: torch.from_numpy(as_float(a)).to(device) for name, a in (signals | vectors).items()}
        return domain.finish(raw, torch.from_numpy(conditions).to(device))

    outputs = run_in_batches(finish, len(index))
    for name, array in outputs.items():
        broken = ~np.isfinite(array).reshape(len(array), -1).all(1)
        if broken.any():
            raise GanassetsError(f"{name} of sample {index[broken.argmax()]} of the data is not finite.")
    return outputs


def crop_margin(array: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """Cut `margin` samples off both ends of each axis of (n, channels, *size)."""
    inner = slice(margin, -margin or None)
    return array[(slice(None), slice(None), *[inner] * (array.ndim - 2))]


def match_size(array: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Crop a larger (n, channels, *other size) to its middle, or continue a smaller one as if it wrapped.

    An array without axes after the channels is returned as it is.
    """
    differences = [target - length for target, length in zip(size, array.shape[2:], strict=True)]
    inner = [slice(max(-d, 0) // 2, max(-d, 0) // 2 + min(t, t - d)) for d, t in zip(differences, size, strict=True)]
    ends = [(max(d, 0) // 2, max(d, 0) - max(d, 0) // 2) for d in differences]
    return np.pad(array[(slice(None), slice(None), *inner)], [(0, 0), (0, 0), *ends], mode="wrap")
