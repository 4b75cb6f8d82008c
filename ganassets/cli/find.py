"""Find the run that the command line names, and the model that made a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..api.errors import InputError
from ..api.registry import generator_names, load_generator
from ..api.texts import shell_command, suggest_name
from ..inference.model_search import MODEL_FILE, RUNS, find_model, list_runs, shipped_models
from ..training.loading import load_training

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec

SETTINGS_FILE = "config.toml"


def find_run(text: str | None) -> Path:
    """Find a run folder.

    Args:
        text: Path of the folder, name of a generator for its newest run, or None for the newest run of all.

    Raises:
        InputError: There is no such run.
    """
    if text and text not in generator_names():
        if Path(text).is_dir():
            return Path(text)
        raise InputError(f"{text} is neither a run folder nor a generator; {suggest_name(text, generator_names())}")
    found = list_runs(text)
    if not found:
        generator = f" of {text}" if text else ""
        command = shell_command("ganassets", "train", text or "NAME")
        raise InputError(f"there is no run{generator} in {RUNS}/; train one with `{command}`.")
    return found[-1]


def spec_of_run(run: Path) -> GeneratorSpec:
    """Return the generator of a run folder."""
    return load_generator(load_training("ganassets.training.settings", "read_settings")(run / SETTINGS_FILE).generator)


def model_of_digest(generator: str, digest: str, given: str | None) -> Path:
    """Find the model file with a SHA-256 among the generator's shipped models and its runs.

    Args:
        generator: Name of the generator.
        digest: SHA-256 in hexadecimal.
        given: Model that the user named, which is taken as it is; None to search.

    Raises:
        InputError: There is no such model.
    """
    import hashlib

    from ..inference.model import read_model_file

    if given:
        return find_model(given)
    for path in [*shipped_models(generator), *(run / MODEL_FILE for run in list_runs(generator))]:
        if path.is_file() and hashlib.sha256(read_model_file(path)).hexdigest() == digest:
            return path
    raise InputError(
        f"the model of {generator} with SHA-256 {digest[:12]}... is neither in the package nor in {RUNS}/; "
        "name it with --model."
    )
