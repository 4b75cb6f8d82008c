"""Training samples of portraits: the user's pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.conditions import Condition
from ganassets.api.data import TrainingData
from ganassets.api.data.pictures import PictureSamples, label_counts, read_pictures
from ganassets.api.data.records import count_files, explain_left_out
from ganassets.api.errors import InputError
from ganassets.api.options import SWITCHES
from ganassets.api.spec import Preset

MIN_PICTURES = 8
# With fewer pictures than this, networks memorise them.
FEW_PICTURES = 100
CHUNK = 256


def picture_data(
    preset: Preset, options: Mapping[str, Any], _seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Read pictures as training samples; their number is the number of pictures.

    Colours are multiplied by alpha in pictures with transparency.

    Args:
        preset: Size of the samples in pixels.
        options: "data", a folder or zip; "crop", see ganassets.api.data.pictures.read_pictures; "mirror", yes or no.
        report: Called with (done, total) pictures.

    Raises:
        InputError: "data" is missing or holds too few pictures, or an option has an unknown value.
    """
    folder = options.get("data")
    if not folder:
        raise InputError("portraits need pictures to learn from; give a folder or zip of them with --data DIR.")
    mirror = parse_mirror(options.get("mirror"))
    pictures = read_pictures(Path(folder), preset.size, options.get("crop") or "auto", report)
    count = len(pictures.names)
    if count < MIN_PICTURES:
        share = f"{count} of {count_files(pictures.records).found:,} files"
        few = f"{folder} holds too few different pictures that can be used ({share})"
        why = explain_left_out(pictures.records)
        others = why and f", and others are left out: {why}"
        raise InputError(f"{few}; at least {MIN_PICTURES} are needed{others}.")
    colour, conditions = premultiply_alpha(pictures.pixels), label_conditions(pictures)
    labels = np.zeros((count, 0), np.float32)
    if pictures.labels is not None:
        labels = np.eye(len(pictures.classes), dtype=np.float32)[pictures.labels]
    if mirror:
        colour, labels = np.concatenate([colour, colour[..., ::-1]]), np.concatenate([labels, labels])
    return TrainingData(
        signals={"colour": colour},
        vectors={},
        conditions=labels,
        name=f"pictures from {Path(folder).name}",
        licence="as the pictures given",
        source="the user's pictures",
        files=pictures.records,
        constants={"aspect": np.array([pictures.aspect], np.float32)},
        notes=tuple(describe_pictures(pictures, mirror)),
        conditions_of=conditions,
    )


def parse_mirror(text: str | None) -> bool:
    """Parse the option --mirror; without it pictures are not mirrored."""
    try:
        return text is not None and SWITCHES[text.lower()]
    except KeyError as error:
        raise InputError(f"--mirror takes yes or no, not {text!r}.") from error


def label_conditions(pictures: PictureSamples) -> tuple[Condition, ...]:
    """Return the condition of the labels, or none where pictures have no labels."""
    return (Condition("label", "What the picture shows.", choices=pictures.classes),) if pictures.classes else ()


def premultiply_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply colours by alpha, so all transparent pixels are the same.

    Args:
        pixels: (n, 3 or 4, size, size); three channels are returned as they are.
    """
    if pixels.shape[1] == 3:
        return pixels
    out = np.empty_like(pixels)
    for start in range(0, len(pixels), CHUNK):
        part = pixels[start : start + CHUNK].astype(np.uint16)
        out[start : start + CHUNK, :3] = (part[:, :3] * part[:, 3:] + 127) // 255
        out[start : start + CHUNK, 3] = part[:, 3]
    return out


def describe_pictures(pictures: PictureSamples, mirror: bool) -> list[str]:
    """Describe the pictures for the user: number, shape, labels, and a warning where they are few."""
    count = len(pictures.names)
    alpha = " with transparency" if pictures.pixels.shape[1] == 4 else ""
    twice = ", each also mirrored" if mirror else ""
    shape = "square" if pictures.aspect == 1 else f"{pictures.aspect:.3g} times as wide as high"
    notes = [f"{count:,} pictures{alpha}, {shape}{twice}.", *pictures.notes]
    if pictures.classes:
        counts = ", ".join(f"{name} {number:,}" for name, number in label_counts(pictures).items())
        notes.append(f"Labels: {counts}.")
    if count < FEW_PICTURES:
        notes.append(
            f"{count} pictures are few: the networks will memorise some of them. Compare generated pictures with the "
            f"data before you use them, and give {FEW_PICTURES} pictures or more if you can."
        )
    return notes
