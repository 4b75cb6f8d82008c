"""Training from Python: a run as an object. Importing this does not load torch."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from ..api.errors import InputError
from ..api.latents import MAX_SEED
from ..api.registry import load_generator
from ..api.spec import OBJECTIVES, PRECISIONS, GeneratorSpec
from ..inference.model import inspect_model
from ..inference.model_search import MODEL_FILE, find_model
from .loading import load_training
from .presets import choose_preset

REPORT_FILE = "report.html"
MOST_PROCESSORS = 1024  # threads or devices, as on the command line


@dataclass(frozen=True)
class TrainedRun:
    """The folder of a run.

    Attributes:
        folder: Folder with settings, log, snapshots, checkpoints and report.
    """

    folder: Path

    @property
    def spec(self) -> GeneratorSpec:
        """Generator of the run."""
        read_settings = load_training("ganassets.training.settings", "read_settings")
        return load_generator(read_settings(self.folder / "config.toml").generator)

    @property
    def report(self) -> Path:
        """The page that shows the run; it is written while the run trains."""
        return self.folder / REPORT_FILE

    @property
    def model(self) -> Path:
        """The exported model file, which exists after `export()`."""
        return self.folder / MODEL_FILE

    def resume(self, *, quiet: bool = False) -> TrainedRun:
        """Continue a stopped run, and return it when it ends."""
        resume = load_training("ganassets.training.run", "resume")
        resume(self.spec, self.folder, console=make_console(quiet), trusted=True)
        return self

    def export(
        self,
        out: str | Path | None = None,
        *,
        best: bool = False,
        licence: str = "",
        source: str = "",
        quiet: bool = True,
    ) -> Path:
        """Write the model file, checked against torch; see ganassets.export."""
        export_run = load_training("ganassets.training.onnx_export", "export_run")
        facts = {name: text for name, text in (("licence", licence), ("source", source)) if text}
        target = None if out is None else Path(out)
        return export_run(self.spec, self.folder, target, make_console(quiet), facts, best)


def make_console(quiet: bool) -> Any:
    """Return a console for progress, or one that prints nothing."""
    from rich.console import Console

    return Console(quiet=quiet)


def train(
    generator: str,
    *,
    out: str | Path | None = None,
    preset: str | None = None,
    kimg: float | None = None,
    objective: str | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    devices: int = 1,
    start: str | Path | None = None,
    quiet: bool = False,
    **data_options: Any,
) -> TrainedRun:
    """Train a generator; see ganassets.train."""
    spec = load_generator(generator)
    seed = _whole_number("seed", seed, 0, MAX_SEED)
    devices = _whole_number("devices", devices, 1, MOST_PROCESSORS)
    threads = None if threads is None else _whole_number("threads", threads, 1, MOST_PROCESSORS)
    if kimg is not None and not (isinstance(kimg, Real) and math.isfinite(kimg) and kimg > 0):
        raise InputError(f"kimg must be a number above 0, not {kimg!r}.")
    _check_choice("precision", precision, PRECISIONS)
    if objective is not None:
        _check_choice("objective", objective, OBJECTIVES)
    known = [option.name for option in spec.data_options]
    given = {name.replace("_", "-"): value for name, value in data_options.items()}
    for name in given.keys() - set(known):
        raise InputError(f"{generator} has no option {name!r}; its data options are {', '.join(known) or 'none'}.")
    model = None if start is None else inspect_model(find_model(str(start))).path
    has_data = given.get(spec.folder_option or "") is not None
    chosen = choose_preset(spec, preset, model, has_data, kimg=kimg, objective=objective)
    run = load_training("ganassets.training.run", "train")(
        spec,
        chosen,
        out=None if out is None else Path(out),
        seed=seed,
        objective=chosen.objective,
        device=device,
        threads=threads,
        data_options=given,
        console=make_console(quiet),
        devices=devices,
        start=model,
        precision=precision,
    )
    return TrainedRun(run)


def _whole_number(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number, which may be numpy's, as an int; InputError for another value or one out of range."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def _check_choice(name: str, value: object, choices: Collection[str]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
