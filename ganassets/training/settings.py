"""What a training run is made with: written to config.toml, read back by --resume."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import InputError
from ..spec import Preset


@dataclass(frozen=True)
class Hardware:
    """Where and how the steps run.

    Attributes:
        device: "cpu", "cuda", "cuda:1", "mps".
        threads: of torch on the CPU.
        precision: "bfloat16" (autocast of the networks) or "float32".
        channels_last: memory format of 2-D networks.
    """

    device: str
    threads: int
    precision: str
    channels_last: bool


@dataclass(frozen=True)
class RunSettings:
    """A run, whole: generator, preset (already overridden by the user's wishes), data, objective, hardware."""

    generator: str
    preset: Preset
    objective: str
    seed: int
    hardware: Hardware
    data_options: dict[str, str]


def to_toml(settings: RunSettings) -> str:
    """The text of config.toml."""
    import tomli_w

    table = asdict(settings)
    table["preset"] = {key: value for key, value in table["preset"].items() if value is not None}
    return tomli_w.dumps(table)


def read_settings(path: Path) -> RunSettings:
    """Settings from a run's config.toml; InputError when it is missing or broken."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        preset = Preset(**table.pop("preset"))
        hardware = Hardware(**table.pop("hardware"))
        return RunSettings(preset=preset, hardware=hardware, **table)
    except FileNotFoundError as error:
        raise InputError(f"{path.parent} is not a run folder: it has no config.toml.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path} can't be read as a run's settings ({error}).") from error
