"""Settings of a run, with values that are hard to write as TOML."""

from __future__ import annotations

from ganassets.training.settings import RunSettings
from support.domains import CPU, make_preset

SETTINGS = RunSettings(
    "faces", make_preset(gamma=2.5, kimg=0.05), "rpgan", 2**62, CPU, {"skins": 'C:\\my "skins"\\über', "empty": ""}
)
