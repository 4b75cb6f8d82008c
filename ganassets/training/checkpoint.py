"""Save and load checkpoints and the linear model: safetensors files with JSON in their header, never pickle."""

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
from .networks.linear import CLUSTER_ARRAYS, KEY_ARRAYS
from .run_folder import list_checkpoints

# Number of newest checkpoints that are kept.
KEEP = 2
# Name of the checkpoint that measured nearest to the data.
BEST = "best"
# Version of a checkpoint's content.
VERSION = 1
FIT_ARRAYS = (
    "condition_mean",
    "condition_std",
    "offset",
    "from_latent",
    "from_condition",
    *CLUSTER_ARRAYS,
    *KEY_ARRAYS,
)


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], numbers: dict[str, Any], name: str | None = None) -> Path:
    """Write a checkpoint, and remove the numbered ones except the newest.

    Args:
        folder: Folder of the checkpoints.
        tensors: Tensors by name.
        numbers: JSON-able dict with "images".
        name: Name of the file without its suffix; None for the number of images.
    """
    path = folder / f"{name or format(numbers['images'], '010d')}.safetensors"
    write_atomic(path, save(tensors, {"numbers": json.dumps(numbers | {"version": VERSION})}))
    for old in list_checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and numbers of a checkpoint; InputError when it is damaged or of a newer version."""
    tensors, numbers = read_checkpoint(path)
    return tensors, check_version(numbers, path)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and numbers of a checkpoint of any version; InputError when it is damaged."""
    try:
        # safetensors itself would wait for ever for a named pipe.
        with open_regular(path), safe_open(path, "pt") as file:
            numbers = json.loads((file.metadata() or {})["numbers"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no dict
        if not isinstance(numbers, dict) or type(numbers.get("version", VERSION)) is not int:
            raise ValueError("its numbers have no names")
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint, or it is damaged ({error}).") from error
    return tensors, numbers


def check_version(numbers: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a checkpoint's numbers without their version; InputError when it is newer than this software."""
    if numbers.pop("version", VERSION) > VERSION:
        raise InputError(f"{path} was written by a newer ganassets; update this one.")
    return numbers


def newest_checkpoint(folder: Path) -> Path:
    """Return the newest checkpoint of a folder; InputError when there is none."""
    found = list_checkpoints(folder)
    if not found:
        raise InputError(f"{folder.parent} has no checkpoint yet; start again with ganassets train.")
    return found[-1]


def named_checkpoint(folder: Path, name: str) -> Path:
    """Return the checkpoint with a name, such as BEST; InputError when there is none."""
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise InputError(
            f"{folder.parent} has no checkpoint {name!r}: no measured state is nearer to the data than the start. "
            "Train longer, or export without --best."
        )
    return path


def load_newest_intact(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
    """Load the newest checkpoint that is not damaged.

    Returns:
        Tensors, numbers, and a message for each newer checkpoint that is damaged.

    Raises:
        InputError: All are damaged, there is none, or a newer ganassets wrote it.
    """
    problems: list[str] = []
    newest_checkpoint(folder)
    for path in reversed(list_checkpoints(folder)):
        try:
            tensors, numbers = read_checkpoint(path)
        except InputError as error:
            problems.append(str(error))
        else:
            return tensors, check_version(numbers, path), problems
    raise InputError(problems[0])


def save_fit(path: Path, fit: LinearFit, rows: NDArray[np.float32], prints: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the linear model of a run.

    Args:
        path: File to write.
        fit: The linear model.
        rows: (r, c) conditions of samples.
        prints: (n,) fingerprint of the data, by name.
    """
    from safetensors.numpy import save as save_arrays

    arrays = {f"mean.{k}": v for k, v in fit.means.items()} | {f"basis.{k}": v for k, v in fit.bases.items()}
    arrays |= {f"constant.{k}": v for k, v in fit.constants.items()} | {f"print.{k}": v for k, v in prints.items()}
    arrays |= {name: getattr(fit, name) for name in FIT_ARRAYS} | {"condition_rows": rows}
    arrays = {key: np.ascontiguousarray(value, np.float32) for key, value in arrays.items()}
    meta = {"signals": json.dumps(list(fit.means)), "vectors": json.dumps(fit.vectors)}
    write_atomic(path, save_arrays(arrays, meta))


def load_fit(path: Path) -> tuple[LinearFit, NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return linear model, condition rows and fingerprint as `save_fit` wrote them; InputError when damaged."""
    try:
        with open_regular(path), safe_open(path, "np") as file:
            meta = file.metadata() or {}
            signals, vectors = json.loads(meta["signals"]), json.loads(meta["vectors"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no dict
        means = {name: arrays[f"mean.{name}"] for name in signals}
        bases = {name: arrays[f"basis.{name}"] for name in signals}
        constants, prints = (
            {key.partition(".")[2]: value for key, value in arrays.items() if key.startswith(f"{kind}.")}
            for kind in ("constant", "print")
        )
        # Runs of the first versions have no clusters and no keys.
        weights = {name: arrays[name] for name in FIT_ARRAYS if name in arrays}
        fit = LinearFit(means, bases, vectors, **weights, constants=constants)
        rows = arrays["condition_rows"]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is missing or damaged ({error}).") from error
    return fit, rows, prints
