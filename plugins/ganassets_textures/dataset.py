"""Training samples: painted materials whose latents are known, and crops of real sets given by the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData
from ganassets.api.data.records import FileRecord
from ganassets.api.errors import InputError
from ganassets.api.spec import Preset

from .domain import MASKS
from .materials import CLASSES, COLUMNS, LOOKS
from .painter import Z_DIM, likely, paint
from .structure import Pattern, fitted_scale, noise_map, pattern_of

FloatArray = NDArray[np.float32]
SIGNALS = {"albedo": (3, np.uint8), "height": (1, np.float16), "roughness": (1, np.uint8), "metallic": (1, np.uint8)}


def material_data(
    preset: Preset, options: Mapping[str, Any], seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Materials of preset.network_size texels.

    Args:
        preset: size and number of samples.
        options: "data", a folder or zip of material sets, or nothing; "painted", the share of painted samples.
        seed: the same seed gives the same data.
        report: called with (done, total).
    """
    folder = options.get("data")
    share = painted_share(options.get("painted"), bool(folder))
    total = preset.samples
    painted = int(total * share)
    photos = total - painted
    parts = []
    name, licence, source = "painted materials", "CC0-1.0", "our own painter"
    files: tuple[FileRecord, ...] = ()
    notes: tuple[str, ...] = ()
    if folder:
        from .photos import photo_samples
        from .sets import read_sets

        sets, found = read_sets(Path(folder))  # before anything is painted, because it may fail
        rng = np.random.default_rng([seed, 2])
        parts.append(photo_samples(sets, photos, preset.network_size, rng, lambda done: report(done, total)))
        name, licence = f"material sets from {Path(folder).name}", "as the material sets given"
        source = "the user's material sets" + (" and our own painter" if painted else "")
        files, notes = found.records, (*found.found, f"{len(sets)} material sets are used.")
    if painted:
        parts.append(painted_samples(painted, preset.network_size, seed, lambda done: report(photos + done, total)))
    return TrainingData(
        signals={key: np.concatenate([part[key] for part in parts]) for key in SIGNALS},
        vectors={},
        conditions=np.concatenate([part["conditions"] for part in parts]),
        name=name,
        licence=licence,
        source=source,
        files=files,
        latents=np.concatenate([part["latents"] for part in parts]),
        noise_seeds=np.concatenate([part["noise_seeds"] for part in parts]),
        masks=np.concatenate([part["masks"] for part in parts]),
        tiles=np.concatenate([part["tiles"] for part in parts]),
        notes=notes,
    )


def painted_share(text: str | None, data: bool) -> float:
    """Share of painted samples that an option's text asks for; all without other data, half beside it by default."""
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


def condition_values(material: Sequence[str], look: str, sliders: Mapping[str, float]) -> list[float]:
    """A row of the `condition` input: material in equal shares, look, sliders."""
    values = dict.fromkeys(COLUMNS, 0.0) | dict(sliders) | {f"look:{look}": 1.0}
    values |= {f"material:{name}": 1.0 / len(material) for name in material}
    return [values[column] for column in COLUMNS]


def painted_samples(count: int, size: int, seed: int, report: Callable[[int], None]) -> dict[str, NDArray]:
    """Samples by signal, with conditions, latents, noise_seeds, masks and tiles: every class as often as the others."""
    samples = empty_samples(count, size)
    for i in range(count):
        rng = np.random.default_rng([seed, 1, i])
        material = CLASSES[i % len(CLASSES)]
        sliders, z = fitted_sliders(likely(material, rng), size), rng.normal(size=Z_DIM).astype(np.float32)
        noise_seed = int(rng.integers(0, 2**62))
        row = np.array(condition_values([material], LOOKS[0], sliders), np.float32)
        maps = paint(material, sliders, z, noise_map(noise_seed, pattern_of(row), (size, size)))
        for name in SIGNALS:
            samples[name][i] = stored(name, getattr(maps, name))
        samples["conditions"][i], samples["latents"][i], samples["noise_seeds"][i] = row, z, noise_seed
        if i % 32 == 31 or i + 1 == count:
            report(i + 1)
    return samples


def fitted_sliders(sliders: Mapping[str, float], size: int) -> dict[str, float]:
    """Sliders with the scale that the pattern comes to have in a map of size x size.

    The aspect stays as it was, though wide units are cut short by the map: the networks don't get to see it, and larger
    maps shall have it.
    """
    pattern = Pattern(sliders["scale"], sliders["aspect"], sliders["stagger"])
    return {**sliders, "scale": fitted_scale(pattern, (size, size))}


def empty_samples(count: int, size: int) -> dict[str, NDArray]:
    """Arrays to fill: signals, conditions, unknown latents, full masks, tiling."""
    signals: dict[str, NDArray] = {
        name: np.zeros((count, channels, size, size), dtype) for name, (channels, dtype) in SIGNALS.items()
    }
    return {
        **signals,
        "conditions": np.zeros((count, len(COLUMNS)), np.float32),
        "latents": np.full((count, Z_DIM), np.nan, np.float32),
        "noise_seeds": np.zeros(count, np.int64),
        "masks": np.ones((count, len(MASKS)), np.float32),
        "tiles": np.ones(count, np.bool_),
    }


def stored(name: str, values: FloatArray) -> NDArray:
    """A map as training data keep it: bytes where 255 is 1.0, or float16."""
    dtype = SIGNALS[name][1]
    return np.rint(values * 255).astype(np.uint8) if dtype == np.uint8 else values.astype(dtype)
