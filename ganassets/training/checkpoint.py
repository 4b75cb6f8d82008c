"""Checkpoints and arrays in safetensors files, JSON in their header; written whole or not at all, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..api.errors import InputError
from ..api.files import open_regular
from ..api.writer import write_atomic
from .networks import LinearFit
from .networks.linear import CLUSTER_ARRAYS

KEEP = 2  # newest ones
BEST = "best"
VERSION = 1  # of what a checkpoint holds


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], numbers: dict[str, Any], name: str | None = None) -> Path:
    """Write `<images>.safetensors`, or one of another name, and drop the numbered ones but the newest."""
    path = folder / f"{name or format(numbers['images'], '010d')}.safetensors"
    write_atomic(path, save(tensors, {"numbers": json.dumps(numbers | {"version": VERSION})}))
    for old in checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Finished checkpoints by their images, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers of a checkpoint; InputError when the file is damaged or of a newer version."""
    tensors, numbers = read_checkpoint(path)
    return tensors, current(numbers, path)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers of a checkpoint of any version; InputError when the file is damaged."""
    try:
        with open_regular(path), safe_open(path, "pt") as file:  # safetensors itself would wait for a pipe
            numbers = json.loads((file.metadata() or {})["numbers"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if not isinstance(numbers, dict) or type(numbers.get("version", VERSION)) is not int:
            raise ValueError("its numbers have no names")
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint, or it is damaged ({error}).") from error
    return tensors, numbers


def current(numbers: dict[str, Any], path: Path) -> dict[str, Any]:
    """Numbers of a checkpoint without their version; InputError when it is a newer one."""
    if numbers.pop("version", VERSION) > VERSION:
        raise InputError(f"{path} was written by a newer ganassets; update this one.")
    return numbers


def newest_checkpoint(folder: Path) -> Path:
    """The latest checkpoint of a run's folder; InputError when there is none."""
    found = checkpoints(folder)
    if not found:
        raise InputError(f"{folder.parent} has no checkpoint yet; start again with ganassets train.")
    return found[-1]


def checkpoint_named(folder: Path, name: str) -> Path:
    """A run's checkpoint of a name, such as BEST; InputError when there is none."""
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise InputError(
            f"{folder.parent} has no checkpoint {name!r}, because no measuring found it nearer to the data than at its "
            "start."
        )
    return path


def newest_whole(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
    """Tensors and numbers of the latest checkpoint that isn't damaged, and what is wrong with later ones.

    Raises:
        InputError: there is none, or a newer ganassets wrote it.
    """
    wrong: list[str] = []
    newest_checkpoint(folder)
    for path in reversed(checkpoints(folder)):
        try:
            tensors, numbers = read_checkpoint(path)
        except InputError as error:
            wrong.append(str(error))
        else:
            return tensors, current(numbers, path), wrong
    raise InputError(wrong[0])


def save_fit(path: Path, fit: LinearFit, rows: NDArray[np.float32], prints: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the linear model, the (r, c) sample rows of conditions and the data's fingerprint (n,) by name."""
    from safetensors.numpy import save as save_arrays

    arrays = {f"mean.{k}": v for k, v in fit.means.items()} | {f"basis.{k}": v for k, v in fit.bases.items()}
    arrays |= {f"constant.{k}": v for k, v in fit.constants.items()} | {f"print.{k}": v for k, v in prints.items()}
    arrays |= {name: getattr(fit, name) for name in FIT_ARRAYS} | {"condition_rows": rows}
    arrays = {key: np.ascontiguousarray(value, np.float32) for key, value in arrays.items()}
    meta = {"signals": json.dumps(list(fit.means)), "vectors": json.dumps(fit.vectors)}
    write_atomic(path, save_arrays(arrays, meta))


FIT_ARRAYS = ("condition_mean", "condition_std", "offset", "from_latent", "from_condition", *CLUSTER_ARRAYS)


def load_fit(path: Path) -> tuple[LinearFit, NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """What save_fit wrote."""
    try:
        with open_regular(path), safe_open(path, "np") as file:
            meta = file.metadata() or {}
            signals, vectors = json.loads(meta["signals"]), json.loads(meta["vectors"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        means = {name: arrays[f"mean.{name}"] for name in signals}
        bases = {name: arrays[f"basis.{name}"] for name in signals}
        constants, prints = (
            {key.partition(".")[2]: value for key, value in arrays.items() if key.startswith(f"{kind}.")}
            for kind in ("constant", "print")
        )
        weights = {name: arrays[name] for name in FIT_ARRAYS if name in arrays}  # older runs have no clusters
        fit = LinearFit(means, bases, vectors, **weights, constants=constants)
        rows = arrays["condition_rows"]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is missing or damaged ({error}).") from error
    return fit, rows, prints
