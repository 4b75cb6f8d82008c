"""Which run or model a name on the command line means."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..plugins import GENERATORS, generator_names, load_generator, nearest, records_named
from .base import load_training

if TYPE_CHECKING:
    from ..spec import GeneratorSpec

RUNS = Path("runs")
MODEL_FILE = "model.onnx"
SETTINGS_FILE = "config.toml"


def runs_of(generator: str | None, runs: Path = RUNS) -> list[Path]:
    """Run folders `<generator>-<date>-<n>`, the newest last; of any generator when none is named."""
    name = re.escape(generator) if generator else r"[a-z][a-z0-9_-]*?"
    pattern = re.compile(rf"{name}-(\d{{4}}-?\d\d-?\d\d)-(\d+)")
    dated = [(match, path) for path in runs.glob("*/") if (match := pattern.fullmatch(path.name))]
    return [path for _, path in sorted(dated, key=lambda pair: (pair[0][1].replace("-", ""), int(pair[0][2])))]


def find_run(text: str | None) -> Path:
    """The run folder meant by its path, a generator's name (its newest run) or None (the newest of all)."""
    known = text in generator_names()
    # A folder that happens to be called like a generator, its source for one, is no run of it.
    if text and ((Path(text) / SETTINGS_FILE).is_file() or (Path(text).is_dir() and not known)):
        return Path(text)
    if text and not known:
        raise InputError(f"{text} is neither a run folder nor a generator; {nearest(text, generator_names())}")
    found = runs_of(text)
    if not found:
        whose = f" of {text}" if text else ""
        raise InputError(f"there is no run{whose} in {RUNS}/; train one with `ganassets train {text or 'NAME'}`.")
    return found[-1]


def spec_of_run(run: Path) -> GeneratorSpec:
    """The generator that a run folder belongs to."""
    return load_generator(load_training("ganassets.training.settings", "read_settings")(run / SETTINGS_FILE).generator)


def find_model(text: str) -> Path:
    """The model file meant by its path, its run folder, or a generator's name: the newest exported or the shipped."""
    path = Path(text)
    if path.suffix == ".onnx" or path.is_file():
        return path
    if (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if path.is_dir() and text not in generator_names():
        raise InputError(f"{text} holds no {MODEL_FILE}; export it with `ganassets export {text} --onnx`.")
    load_generator(text)  # tells what is wrong with the name, if anything
    exported = [run / MODEL_FILE for run in runs_of(text) if (run / MODEL_FILE).is_file()]
    models = exported or shipped_models(text)
    if models:
        return models[-1]
    if runs_of(text):
        raise InputError(f"no run of {text} has a model yet; make one with `ganassets export {text} --onnx`.")
    raise InputError(
        f"there is no model of {text} yet; make one with `ganassets train {text}` and `ganassets export {text} --onnx`."
    )


def shipped_models(generator: str) -> list[Path]:
    """Models in the `data` folder of the generator's package."""
    package = records_named(GENERATORS, generator)[0].value.partition(":")[0]
    found = importlib.util.find_spec(package)
    folders = found.submodule_search_locations or () if found else ()
    return sorted(model for folder in folders for model in (Path(folder) / "data").glob("*.onnx"))


def model_of_digest(generator: str, digest: str, given: str | None) -> Path:
    """The model file with a SHA-256: the one given, or among the generator's shipped ones and its runs'.

    Raises:
        InputError: it is none of them.
    """
    import hashlib

    from ..model import read_model_file

    if given:
        return find_model(given)
    for path in [*shipped_models(generator), *(run / MODEL_FILE for run in runs_of(generator))]:
        if path.is_file() and hashlib.sha256(read_model_file(path)).hexdigest() == digest:
            return path
    raise InputError(
        f"the model of {generator} with SHA-256 {digest[:12]}... is neither in the package nor in {RUNS}/; "
        "name it with --model."
    )
