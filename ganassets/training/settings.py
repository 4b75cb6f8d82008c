"""What a training run is made with: written to config.toml, read back by --resume."""

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

MAX_BYTES = 2**20  # of config.toml
MAX_CARD_BYTES = 64 * 2**20  # of data.json, which lists the files that were left out


@dataclass(frozen=True)
class Hardware:
    """Where and how the steps run.

    Attributes:
        device: "cpu", "cuda", "cuda:1", "mps".
        threads: of torch on the CPU, in each process.
        precision: "bfloat16" (autocast of the networks) or "float32".
        channels_last: memory format of 2-D networks.
        devices: processes on this machine that train together.
        reason: why this precision, for people.
    """

    device: str
    threads: int
    precision: str
    channels_last: bool
    devices: int = 1
    reason: str = ""


@dataclass(frozen=True)
class RunSettings:
    """A run, whole: generator, preset (already overridden by the user's wishes), data, objective, hardware.

    Attributes:
        start: model file that the run starts from, or "".
    """

    generator: str
    preset: Preset
    objective: str
    seed: int
    hardware: Hardware
    data_options: dict[str, str]
    start: str = ""


def to_toml(settings: RunSettings) -> str:
    """The text of config.toml; InputError for names of files that it can't hold."""
    import tomli_w

    table = asdict(settings)
    table["preset"] = {key: value for key, value in table["preset"].items() if value is not None}
    text = tomli_w.dumps(table)
    if escape_surrogates(text) != text:
        raise InputError("a run can't keep a path whose name is not UTF-8; rename the folder or file of your data.")
    return text


def read_settings(path: Path) -> RunSettings:
    """Settings from a run's config.toml; InputError when it is missing or broken."""
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
