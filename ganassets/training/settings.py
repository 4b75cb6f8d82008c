"""Settings of a training run: written to config.toml, and read back by --resume."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..api.errors import InputError
from ..api.files import read_text
from ..api.spec import Preset
from ..api.texts import escape_surrogates
from ..api.toml_text import parse_toml
from .loss import OBJECTIVES

# Largest config.toml that is read.
MAX_BYTES = 2**20


@dataclass(frozen=True)
class Hardware:
    """Device, threads and number format of the training steps.

    Attributes:
        device: "cpu", "cuda", "cuda:1", "mps".
        threads: torch's CPU threads, in each process.
        precision: "bfloat16" (autocast of the networks) or "float32".
        channels_last: Whether 2-D networks use the channels-last memory format.
        devices: Number of processes on this machine that train together.
        reason: Why this precision was chosen, for people.
    """

    device: str
    threads: int
    precision: str
    channels_last: bool
    devices: int = 1
    reason: str = ""


@dataclass(frozen=True)
class RunSettings:
    """Everything that determines a run.

    Attributes:
        generator: Name of the generator.
        preset: Preset with the user's changes.
        objective: Key of OBJECTIVES.
        seed: Random seed.
        hardware: Device, threads and precision.
        data_options: Options of the plugin's dataset.
        start: Model file that the run starts from, or "".
    """

    generator: str
    preset: Preset
    objective: str
    seed: int
    hardware: Hardware
    data_options: dict[str, str]
    start: str = ""


def to_toml(settings: RunSettings) -> str:
    """Return the text of config.toml; InputError when a path is not UTF-8, which TOML can't hold."""
    import tomli_w

    table = asdict(settings)
    table["preset"] = {key: value for key, value in table["preset"].items() if value is not None}
    text = tomli_w.dumps(table)
    if escape_surrogates(text) != text:
        raise InputError("a run can't store a path whose name is not UTF-8; rename the folder or file of your data.")
    return text


def read_settings(path: Path) -> RunSettings:
    """Read the settings from a run's config.toml; InputError when it is missing or broken."""
    try:
        table = parse_toml(read_text(path, MAX_BYTES))
        settings = TypeAdapter(RunSettings).validate_python(table)
    except FileNotFoundError as error:
        raise InputError(f"{path.parent} is not a run folder: it has no {path.name}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} can't be read as a run's settings ({place}: {first['msg']}).") from error
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(f"{path} can't be read as a run's settings ({error}).") from error
    if settings.objective not in OBJECTIVES:
        raise InputError(f"{path} names an objective that does not exist ({settings.objective}).")
    return settings
