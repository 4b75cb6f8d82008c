"""Checkpoints and arrays in safetensors files, JSON in their header; written whole or not at all, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import InputError
from ..networks import LinearFit
from ..writer import write_atomic

KEEP = 2


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> Path:
    """Write `<images>.safetensors` and drop all but the newest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{numbers['images']:010d}.safetensors"
    write_atomic(path, save(tensors, {"numbers": json.dumps(numbers)}))
    for old in checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Finished checkpoints, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers of a checkpoint; InputError when the file is damaged."""
    try:
        with safe_open(path, "pt") as file:
            numbers = json.loads((file.metadata() or {})["numbers"])
            return {key: file.get_tensor(key) for key in file.keys()}, numbers  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint, or it is damaged ({error}).") from error


def newest_checkpoint(folder: Path) -> Path:
    """The latest checkpoint of a run's folder; InputError when there is none."""
    found = checkpoints(folder)
    if not found:
        raise InputError(f"{folder.parent} has no checkpoint yet; start again with ganassets train.")
    return found[-1]


def save_fit(path: Path, fit: LinearFit, rows: NDArray[np.float32]) -> None:
    """Write the linear model and the (r, c) sample rows of conditions."""
    from safetensors.numpy import save as save_arrays

    arrays = {f"mean.{k}": v for k, v in fit.means.items()} | {f"basis.{k}": v for k, v in fit.bases.items()}
    arrays |= {f"constant.{k}": v for k, v in fit.constants.items()}
    arrays |= {name: getattr(fit, name) for name in FIT_ARRAYS} | {"condition_rows": rows}
    arrays = {key: np.ascontiguousarray(value, np.float32) for key, value in arrays.items()}
    meta = {"signals": json.dumps(list(fit.means)), "vectors": json.dumps(fit.vectors)}
    write_atomic(path, save_arrays(arrays, meta))


FIT_ARRAYS = ("condition_mean", "condition_std", "offset", "from_latent", "from_condition")


def load_fit(path: Path) -> tuple[LinearFit, NDArray[np.float32]]:
    """What save_fit wrote."""
    try:
        with safe_open(path, "np") as file:
            meta = file.metadata() or {}
            signals, vectors = json.loads(meta["signals"]), json.loads(meta["vectors"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        means = {name: arrays[f"mean.{name}"] for name in signals}
        bases = {name: arrays[f"basis.{name}"] for name in signals}
        constants = {key.partition(".")[2]: value for key, value in arrays.items() if key.startswith("constant.")}
        fit = LinearFit(means, bases, vectors, **{name: arrays[name] for name in FIT_ARRAYS}, constants=constants)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is missing or damaged ({error}).") from error
    return fit, arrays["condition_rows"]
