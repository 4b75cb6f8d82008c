"""Find the model file that a word names, and decide whether it is trusted.

A generator's name is never taken for a path, whatever the working folder holds: a path has a separator or the suffix of
a model file.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..api.errors import InputError
from ..api.registry import GENERATORS, generator_names, load_generator, records_named
from ..api.texts import shell_command

if TYPE_CHECKING:
    from .model import ModelFile

RUNS = Path("runs")
MODEL_FILE = "model.onnx"
SUFFIX = ".onnx"


def is_path(text: str) -> bool:
    """Return whether a word is a path and not a name: "./faces", "runs/x", "faces.onnx"."""
    separators = {"/", os.sep, os.altsep} - {None}
    return any(one in text for one in separators) or text in (".", "..") or text.lower().endswith(SUFFIX)


def list_runs(generator: str | None) -> list[Path]:
    """List run folders `<generator>-<date>-<n>`, the newest last; those of all generators when none is named."""
    name = re.escape(generator) if generator else r"[a-z][a-z0-9_-]*?"
    pattern = re.compile(rf"{name}-(\d{{4}}-?\d\d-?\d\d)-(\d+)")
    dated = [(match, path) for path in RUNS.glob("*/") if (match := pattern.fullmatch(path.name))]
    return [path for _, path in sorted(dated, key=lambda pair: (pair[0][1].replace("-", ""), int(pair[0][2])))]


def find_model(text: str, beside: Path = Path()) -> Path:
    """Find the model file that a word names.

    Args:
        text: A generator's name, for its newest exported or else its shipped model; or a path.
        beside: Folder in which a relative path is looked for before the working folder.

    Raises:
        InputError: There is no such model.
    """
    if is_path(text):
        places = [beside / text, Path(text)]
        return model_at(next((place for place in places if place.exists()), places[-1]))
    if text not in generator_names() and Path(text).exists():
        here = shell_command(f"{os.curdir}{os.sep}{text}")
        raise InputError(f"there is no generator {text!r}; for the file or folder of that name write {here}.")
    load_generator(text)  # reports an unknown name
    exported = [run / MODEL_FILE for run in list_runs(text) if (run / MODEL_FILE).is_file()]
    models = exported or shipped_models(text)
    if models:
        return models[-1]
    export = shell_command("ganassets", "export", text, "--onnx")
    if list_runs(text):
        raise InputError(f"no run of {text} has a model yet; make one with `{export}`.")
    train = shell_command("ganassets", "train", text)
    raise InputError(f"there is no model of {text} yet; make one with `{train}` and `{export}`.")


def model_at(path: Path) -> Path:
    """Return the model file at a path or in a run folder; InputError for a folder without one."""
    if (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if path.is_dir():
        export = shell_command("ganassets", "export", path, "--onnx")
        raise InputError(f"{path} holds no {MODEL_FILE}; export it with `{export}`.")
    return path


def shipped_models(generator: str) -> list[Path]:
    """List the models in the `data` folder of the generator's package."""
    package = records_named(GENERATORS, generator)[0].value.partition(":")[0]
    found = importlib.util.find_spec(package)
    folders = found.submodule_search_locations or () if found else ()
    return sorted(model for folder in folders for model in (Path(folder) / "data").glob(f"*{SUFFIX}"))


def is_in_box(file: ModelFile) -> bool:
    """Return whether a model came with its plugin."""
    return file.path.resolve() in (path.resolve() for path in shipped_models(file.manifest.generator))


def is_trusted(file: ModelFile) -> bool:
    """Return whether a model came with its plugin or is of a run in ./runs; links are not followed."""
    path = file.path.resolve()
    return (path.name == MODEL_FILE and path.parent.parent == Path().resolve() / RUNS) or is_in_box(file)


def check_trusted(file: ModelFile, trusted: bool) -> None:
    """Check that a model may be opened in this process.

    Args:
        file: The model.
        trusted: Whether the user gave --trusted.

    Raises:
        InputError: The model is neither in the box nor of a run in ./runs, and the user doesn't trust it.
    """
    if not trusted and not is_trusted(file):
        raise InputError(
            f"{file.path} is neither a model in the box nor one of {RUNS}/, and this command opens it in its own "
            "process; if you trust it, add --trusted."
        )
