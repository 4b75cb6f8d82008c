"""Read the training images of a comparison as uint8 (n, 3, SIZE, SIZE), the same for all contenders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIZE = 64
# Side in pixels of a texture's crop, which is reduced to SIZE, and number of crops of each texture.
CROP = 128
CROPS = 4
HEADS = 2048
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

Images = NDArray[np.uint8]


def to_planes(image: Image.Image) -> Images:
    """Convert an image to (3, height, width) RGB."""
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def read_portraits(folder: Path) -> Images:
    """Read the middle square of every picture in a folder and its subfolders."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return np.stack([to_planes(ImageOps.fit(Image.open(file).convert("RGB"), (SIZE, SIZE))) for file in files])


def read_textures(folder: Path) -> Images:
    """Read CROPS random crops of every albedo picture in subfolders, at half their size."""
    rng = np.random.default_rng(0)
    crops = []
    for file in sorted(folder.glob("*/albedo.*")):
        image = Image.open(file).convert("RGB")
        for _ in range(CROPS):
            left, top = (int(rng.integers(side - CROP + 1)) for side in image.size)
            crops.append(to_planes(image.crop((left, top, left + CROP, top + CROP)).reduce(CROP // SIZE)))
    return np.stack(crops)


def paint_heads(folder: Path) -> Images:
    """Paint skins with the painter of the faces generator; the folder is not used."""
    from dataclasses import replace

    from ganassets_faces import QUICK
    from ganassets_faces.dataset import head_data

    del folder
    preset = replace(QUICK, size=SIZE, samples=HEADS)
    return head_data(preset, {}, 0, lambda done, total: None).signals["albedo"]


DATA: dict[str, Callable[[Path], Images]] = {
    "portraits": read_portraits,
    "textures": read_textures,
    "heads": paint_heads,
}
