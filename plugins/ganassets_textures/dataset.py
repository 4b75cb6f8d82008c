"""Training samples: painted materials, or exemplars of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets.api.spec import Preset

from .exemplars.samples import exemplar_data
from .painted_samples import make_painted_samples
from .samples import SIGNALS


def material_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Make training samples of preset.network_size texels.

    Args:
        preset: Size and number of samples.
        options: "data", a folder or zip of material sets; without it samples are painted.
        seed: Random seed; the same seed gives the same data.
        report: Called with (done, total) samples.

    Raises:
        InputError: "data" holds no usable material set, or the preset is made for the other kind of data.
    """
    folder = options.get("data")
    if folder and not preset.matching_weight:
        raise InputError(
            f"the preset {preset.name} is for painted materials; learn {folder} with --preset material or materials."
        )
    if preset.matching_weight and not folder:
        raise InputError(f"the preset {preset.name} is for your own materials; give a folder of them with --data.")
    if folder:
        return exemplar_data(preset, Path(folder), seed, report)
    arrays = make_painted_samples(preset.samples, preset.network_size, seed, lambda done: report(done, preset.samples))
    return TrainingData(
        signals={key: arrays[key] for key in SIGNALS},
        vectors={},
        conditions=arrays["conditions"],
        name="painted materials",
        licence="CC0-1.0",
        source="our own painter",
        latents=arrays["latents"],
        noise_seeds=arrays["noise_seeds"],
    )
