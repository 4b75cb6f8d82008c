"""Prepare a run's data and write the files that it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import Progress

from ..api.data import TrainingData
from ..api.data.records import summarize_left_out
from ..api.plugin_calls import make_dataset
from ..api.spec import GeneratorSpec
from .checkpoint import save_fit
from .data_card import fingerprint, write_card
from .distributed import DistributedContext
from .fine_tune import StartModel
from .initialization import fit_preset
from .networks import LinearFit
from .run_folder import LINEAR
from .settings import RunSettings

if TYPE_CHECKING:
    from rich.console import Console

# Conditions of samples that a run keeps for snapshots and for its manifest.
CONDITION_ROWS = 512


@dataclass(frozen=True, eq=False)
class RunInputs:
    """Everything that a run trains with.

    Attributes:
        settings: Settings of the run.
        data: Training samples.
        fit: Linear model of the samples.
        rows: (r, c) physical conditions of samples.
        folder: Folder of the run.
        context: Processes that train together.
    """

    settings: RunSettings
    data: TrainingData
    fit: LinearFit
    rows: np.ndarray
    folder: Path
    context: DistributedContext


def prepare_data(spec: GeneratorSpec, settings: RunSettings, console: Console | None) -> TrainingData:
    """Make the plugin's training samples.

    Args:
        spec: Generator of the run.
        settings: Settings of the run.
        console: Where progress, the plugin's notes and the number of unused files are printed; None for nowhere.
    """
    with Progress(console=console, disable=console is None or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("preparing samples", total=None)

        def report_progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        data = make_dataset(spec, settings.preset, settings.data_options, settings.seed, report_progress)
    if console is not None:
        folder = settings.data_options.get(spec.folder_option or "")
        for line in (*data.notes, *summarize_left_out(data.files, spec.name, folder)):
            console.print(line, soft_wrap=True, markup=False)
    return data


def draw_rows(conditions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw rows of (n, c) conditions for the model file, so that each choice that some sample has is in one of them."""
    order = rng.permutation(len(conditions))
    rows = conditions[order[:CONDITION_ROWS]]
    if ((rows != 0).any(0) == (conditions != 0).any(0)).all():
        return rows
    first = (conditions[order] != 0).argmax(0)
    rest = np.setdiff1d(np.arange(len(order)), first)
    return conditions[order[np.concatenate([np.unique(first), rest])[:CONDITION_ROWS]]]


def write_start_files(settings: RunSettings, data: TrainingData, start: StartModel | None, folder: Path) -> None:
    """Write the linear model, and the description of the data, before the first step."""
    preset, seed = settings.preset, settings.seed
    fit = (start.fit if start else fit_preset)(preset, data, np.random.default_rng([seed, 3]))
    rows = draw_rows(data.conditions, np.random.default_rng([seed, 4]))
    save_fit(folder / LINEAR, fit, rows, fingerprint(data))
    write_card(data, folder)
