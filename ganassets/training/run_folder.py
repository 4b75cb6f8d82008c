"""Lay out a run folder, make it, and remove it after a failed start. Needs no torch."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

from ..api.errors import InputError
from ..api.texts import shell_command
from ..inference.model_search import RUNS

CONFIG, LINEAR, CARD = "config.toml", "linear.safetensors", "data.json"
LOG, METRICS, EVENTS = "log.jsonl", "metrics.jsonl", "events.jsonl"
CHECKPOINTS, SNAPSHOTS, NEAREST = "checkpoints", "snapshots", "nearest"
# Samples beside training samples under the same conditions, whose image has a name of its own.
COMPARISON, COMPARISON_DATA = "comparison", "data.png"
MODEL, LOCK = "model.onnx", "lock"
MAX_RUNS_PER_DAY = 10_000


def make_folder(out: Path | None, name: str) -> Path:
    """Make a new run folder.

    Args:
        out: Its path; None for runs/<name>-<date>-<n>.
        name: Name of the generator.

    Raises:
        InputError: It exists already, or can't be made.
    """
    try:
        if out is not None:
            out.mkdir(parents=True)
            return out
        for n in range(1, MAX_RUNS_PER_DAY):
            folder = RUNS / f"{name}-{date.today():%Y%m%d}-{n}"
            try:
                folder.mkdir(parents=True)
                return folder
            except FileExistsError:
                continue
    except FileExistsError as error:
        resume = shell_command("--resume", out) if out is not None and (out / CONFIG).is_file() else ""
        advice = f", or continue it with {resume}" if resume else ""
        raise InputError(f"{out} exists already; choose another --out{advice}.") from error
    except OSError as error:
        raise InputError(f"the run folder {out or RUNS} can't be made ({error.strerror}).") from error
    raise InputError(f"{RUNS} already holds {MAX_RUNS_PER_DAY - 1} runs of {name} from today; use --out.")


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the numbered checkpoints of a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def has_started(run: Path) -> bool:
    """Return whether a run ever had a checkpoint; its first is written before anything is logged or drawn."""
    later = (LOG, METRICS, EVENTS, SNAPSHOTS)
    return bool(list_checkpoints(run / CHECKPOINTS)) or any((run / name).exists() for name in later)


def remove_unstarted(run: Path) -> None:
    """Remove the folder of a run that failed before its first checkpoint, to free its name for the next try."""
    if not has_started(run):
        for name in (CONFIG, LINEAR, CARD, LOCK):
            (run / name).unlink(missing_ok=True)
        with suppress(OSError):  # the user has put a file of their own there
            run.rmdir()
