"""Images to train on: uint8 (n, 3, SIZE, SIZE), the same for all contenders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIZE = 64
CROP = 128  # pixels of a texture that become SIZE
CROPS = 4  # of a texture
HEADS = 2048
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

Images = NDArray[np.uint8]


def planar(image: Image.Image) -> Images:
    """(3, height, width) of a picture."""
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def portraits(folder: Path) -> Images:
    """The middle square of every picture in a folder and below it."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return np.stack([planar(ImageOps.fit(Image.open(file).convert("RGB"), (SIZE, SIZE))) for file in files])


def textures(folder: Path) -> Images:
    """CROPS random crops of every albedo picture below a folder, halved."""
    rng = np.random.default_rng(0)
    crops = []
    for file in sorted(folder.glob("*/albedo.*")):
        image = Image.open(file).convert("RGB")
        for _ in range(CROPS):
            left, top = (int(rng.integers(side - CROP + 1)) for side in image.size)
            crops.append(planar(image.crop((left, top, left + CROP, top + CROP)).reduce(CROP // SIZE)))
    return np.stack(crops)


def heads(folder: Path) -> Images:
    """Painted skins of the faces generator; they come from no folder."""
    from dataclasses import replace

    from ganassets_faces import QUICK
    from ganassets_faces.dataset import head_data

    del folder
    preset = replace(QUICK, size=SIZE, samples=HEADS)
    return head_data(preset, {}, 0, lambda done, total: None).signals["albedo"]


DATA: dict[str, Callable[[Path], Images]] = {"portraits": portraits, "textures": textures, "heads": heads}
