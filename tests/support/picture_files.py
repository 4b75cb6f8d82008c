"""Write folders and zips of random pictures, and look up why files were not used."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ganassets.api.data.pictures import (
    PictureSamples,
)

SIZE = 16


def make_noise(width: int, height: int, seed: int = 0, channels: int = 3) -> Image.Image:
    """Make an image of random pixels; each seed gives another one."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8))


def save_pictures(folder: Path, count: int, start: int = 0, size: tuple[int, int] = (20, 20)) -> None:
    """Save images with different random pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        make_noise(*size, seed=i).save(folder / f"{i}.png")


def png_bytes(seed: int = 0, width: int = 20, height: int = 20) -> bytes:
    """Make the content of a PNG file with random pixels."""
    stream = BytesIO()
    make_noise(width, height, seed).save(stream, "PNG")
    return stream.getvalue()


def unused_files(found: PictureSamples) -> dict[str, str]:
    """Return the reasons of files that are not used."""
    return {record.file: record.reason for record in found.records if not record.use}
