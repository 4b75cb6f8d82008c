"""Training samples: painted materials, and crops of the user's material sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganassets.api.data import TrainingData
from ganassets.api.data.records import FileRecord
from ganassets.api.errors import InputError
from ganassets.api.spec import Preset

from .painted_samples import make_painted_samples
from .samples import SIGNALS


def material_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Make training samples of preset.network_size texels.

    Args:
        preset: Size and number of samples.
        options: "data", a folder or zip of material sets; "painted", the share of painted samples beside them.
        seed: Random seed; the same seed gives the same data.
        report: Called with (done, total) samples.

    Raises:
        InputError: "data" holds no usable material set, or "painted" is not a share.
    """
    folder = options.get("data")
    share = parse_painted_share(options.get("painted"), bool(folder))
    total = preset.samples
    painted = int(total * share)
    real = total - painted
    parts = []
    name, licence, source = "painted materials", "CC0-1.0", "our own painter"
    files: tuple[FileRecord, ...] = ()
    notes: tuple[str, ...] = ()
    if folder:
        from .real_samples import make_real_samples
        from .sets import read_sets

        sets, found = read_sets(Path(folder))  # first, because it may fail and painting takes long
        rng = np.random.default_rng([seed, 2])
        parts.append(make_real_samples(sets, real, preset.network_size, rng, lambda done: report(done, total)))
        name, licence = f"material sets from {Path(folder).name}", "as the material sets given"
        source = "the user's material sets" + (" and our own painter" if painted else "")
        files, notes = found.records, (*found.found, f"{len(sets)} material sets are used.")
    if painted:
        parts.append(make_painted_samples(painted, preset.network_size, seed, lambda done: report(real + done, total)))
    arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return TrainingData(
        signals={key: arrays[key] for key in SIGNALS},
        vectors={},
        conditions=arrays["conditions"],
        name=name,
        licence=licence,
        source=source,
        files=files,
        latents=arrays["latents"],
        noise_seeds=arrays["noise_seeds"],
        masks=arrays["masks"],
        tiles=arrays["tiles"],
        notes=notes,
    )


def parse_painted_share(text: str | None, data: bool) -> float:
    """Parse the option --painted.

    Args:
        text: Its value; None means half with --data.
        data: Whether --data is given; without it all samples are painted.

    Raises:
        InputError: The text is not a share, or --data is missing.
    """
    if not data:
        if text is not None:
            raise InputError("--painted shares the samples with those of --data; give --data too, or leave it out.")
        return 1.0
    try:
        share = 0.5 if text is None else float(text)
    except ValueError as error:
        raise InputError(f"--painted takes a number from 0 to 1, not {text!r}.") from error
    if not 0 <= share < 1:
        raise InputError(f"--painted {text} is not from 0 to below 1; leave out --data to paint all the materials.")
    return share
