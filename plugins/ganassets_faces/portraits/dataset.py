"""Training samples: the user's pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData
from ganassets.api.data.pictures import PictureSamples, label_counts, read_pictures
from ganassets.api.data.records import count_files, explain_left_out
from ganassets.api.errors import InputError
from ganassets.api.options import SWITCHES
from ganassets.api.spec import Condition, Preset

FEWEST = 8  # pictures that say anything about others
FEW = 100  # below which the networks come to know them by heart
CHUNK = 256


def picture_data(
    preset: Preset, options: Mapping[str, Any], _seed: int, report: Callable[[int, int], None]
) -> TrainingData:
    """Pictures of preset.size pixels, all that there are; colours are multiplied by alpha where there is any.

    Args:
        preset: the size.
        options: "data", a folder or zip; "crop", see ganassets.api.data.pictures.read_pictures; "mirror", yes or no.
        report: called with (done, total).

    Raises:
        InputError: there is no "data", it holds too few pictures, or an option is unknown.
    """
    folder = options.get("data")
    if not folder:
        raise InputError("portraits learn from your own pictures: give a folder or zip of them with --data DIR.")
    mirror = is_mirrored(options.get("mirror"))
    pictures = read_pictures(Path(folder), preset.size, options.get("crop") or "auto", report)
    count = len(pictures.names)
    if count < FEWEST:
        share = f"{count} of {count_files(pictures.records).found:,} files"
        few = f"{folder} holds too few different pictures that can be used ({share}); at least {FEWEST} are needed"
        why = explain_left_out(pictures.records)
        raise InputError(f"{few}{why and f', and others are left out: {why}'}.")
    colour, classes = premultiplied(pictures.pixels), conditions_of(pictures)
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
        notes=tuple(notes_of(pictures, mirror)),
        conditions_of=classes,
    )


def is_mirrored(text: str | None) -> bool:
    """What --mirror says."""
    try:
        return text is not None and SWITCHES[text.lower()]
    except KeyError as error:
        raise InputError(f"--mirror takes yes or no, not {text!r}.") from error


def conditions_of(pictures: PictureSamples) -> tuple[Condition, ...]:
    """The choice among the labels, or nothing where there are none."""
    return (Condition("label", "What the picture shows.", choices=pictures.classes),) if pictures.classes else ()


def premultiplied(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, 4, size, size) with colours multiplied by alpha, which makes all that is transparent alike; three channels
    stay as they are.
    """
    if pixels.shape[1] == 3:
        return pixels
    out = np.empty_like(pixels)
    for start in range(0, len(pixels), CHUNK):
        part = pixels[start : start + CHUNK].astype(np.uint16)
        out[start : start + CHUNK, :3] = (part[:, :3] * part[:, 3:] + 127) // 255
        out[start : start + CHUNK, 3] = part[:, 3]
    return out


def notes_of(pictures: PictureSamples, mirror: bool) -> list[str]:
    """What the user should know about the pictures."""
    count = len(pictures.names)
    alpha = " with transparency" if pictures.pixels.shape[1] == 4 else ""
    twice = ", each also mirrored" if mirror else ""
    shape = "square" if pictures.aspect == 1 else f"{pictures.aspect:.3g} times as wide as high"
    notes = [f"{count:,} pictures{alpha}, {shape}{twice}.", *pictures.notes]
    if pictures.classes:
        counts = ", ".join(f"{name} {number:,}" for name, number in label_counts(pictures).items())
        notes.append(f"Labels: {counts}.")
    if count < FEW:
        notes.append(
            f"{count} pictures are few: the networks will learn some by heart, so compare what they make with the data "
            f"before you use it, and give {FEW} or more if you can."
        )
    return notes
