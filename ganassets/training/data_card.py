"""Describe the data of a run (data.json), and check that they are the same when the run is resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..api.conditions import Condition
from ..api.data import PER_SAMPLE, TrainingData, as_float
from ..api.data.records import FileTotals, count_files
from ..api.errors import GanassetsError, InputError
from ..api.files import read_text
from ..api.writer import write_atomic
from .run_folder import CARD

# Largest data.json that is read; it lists the files that were left out.
MAX_CARD_BYTES = 64 * 2**20
# Largest difference between numbers that count as the same, relative to the largest of them.
TOLERANCE = 1e-3
# Rows whose means are computed at a time.
CHUNK = 256


@dataclass(frozen=True)
class DataCard:
    """Description of the data that a run was trained on.

    Attributes:
        name: Name of the data.
        licence: Licence of the data.
        source: Where the data come from.
        samples: Number of training samples.
        files: Numbers of files that were found, used and left out.
        notes: The plugin's remarks on the data.
        conditions: Conditions that only the data define, see TrainingData.conditions_of; None for the spec's.
    """

    name: str
    licence: str
    source: str
    samples: int
    files: FileTotals
    notes: tuple[str, ...]
    conditions: tuple[Condition, ...] | None


def make_card(data: TrainingData) -> DataCard:
    """Describe training data."""
    files = count_files(data.files)
    return DataCard(data.name, data.licence, data.source, len(data), files, data.notes, data.conditions_of)


def write_card(data: TrainingData, run: Path) -> None:
    """Write data.json into a run folder."""
    write_atomic(run / CARD, json.dumps(asdict(make_card(data)), indent=1).encode())


def read_card(run: Path) -> dict[str, Any]:
    """Read data.json of a run folder; GanassetsError when it is missing or damaged."""
    try:
        return json.loads(read_text(run / CARD, MAX_CARD_BYTES))
    except (OSError, ValueError) as error:
        raise GanassetsError(f"{run / CARD} is missing or damaged ({error}).") from error


def fingerprint(data: TrainingData) -> dict[str, np.ndarray]:
    """Return (n,) float32 means of each sample's numbers, by the name of the array.

    Other samples have another fingerprint. Only rounding changes it when another version of a library prepares the same
    samples.
    """
    arrays = {**data.signals, **data.vectors, "conditions": data.conditions}
    arrays |= {name: getattr(data, name) for name in PER_SAMPLE if getattr(data, name) is not None}
    return {name: mean_rows(array) for name, array in arrays.items()}


def mean_rows(array: np.ndarray) -> np.ndarray:
    """Return (n,) float32 means of each row, with 0 for numbers that are not finite."""

    def mean_chunk(rows: np.ndarray) -> np.ndarray:
        values = np.nan_to_num(as_float(rows).reshape(len(rows), -1))
        return values.mean(1) if values.shape[1] else np.zeros(len(rows), np.float32)

    return np.concatenate([mean_chunk(array[i : i + CHUNK]) for i in range(0, len(array), CHUNK)])


def check_same_data(old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray], run: Path) -> None:
    """Raise InputError when the arrays of a run's data differ from those at its start."""

    def is_same(name: str) -> bool:
        a, b = old[name], new[name]
        return a.shape == b.shape and np.allclose(
            a, b, rtol=TOLERANCE, atol=TOLERANCE * float(np.abs(a).max(initial=0))
        )

    if old.keys() != new.keys() or not all(map(is_same, old)):
        raise InputError(f"the data of {run} have changed; restore them, or start a new run.")


def check_same_labels(data: TrainingData, run: Path) -> None:
    """Raise InputError when the labels of a run's data differ from those at its start."""
    try:
        saved = json.loads(read_text(run / CARD, MAX_CARD_BYTES)).get("conditions")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{run / CARD} is missing or damaged; the run can't continue.") from error
    if saved != json.loads(json.dumps(asdict(make_card(data))["conditions"])):
        raise InputError(f"the labels of {run}'s data have changed; restore them, or start a new run.")
