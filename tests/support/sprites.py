"""Small pictures drawn for tests: figures in their own colours, in folders that are labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SKINS = {"elf": (235, 200, 170), "orc": (80, 140, 60)}


def sprite(skin: tuple[int, int, int], seed: int, size: tuple[int, int] = (24, 32)) -> Image.Image:
    """Draw an RGBA figure of a head and a body on a clear ground; clothes and head height follow the seed."""
    rng = np.random.default_rng(seed)
    width, height = size
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    top = int(rng.integers(0, height // 8))
    draw.rectangle([width // 4, height // 2, width * 3 // 4, height - 1], fill=tuple(rng.integers(0, 256, 3).tolist()))
    draw.ellipse([width // 4, top, width * 3 // 4, height // 2], fill=skin)
    return image


def write_sprites(folder: Path, count: int = 8, opaque: bool = False, size: tuple[int, int] = (24, 32)) -> Path:
    """Write sprites, `count` for each of SKINS, to subfolders of a folder, and return the folder."""
    for k, (label, skin) in enumerate(SKINS.items()):
        (folder / label).mkdir(parents=True)
        for i in range(count):
            image = sprite(skin, 1000 * k + i, size)
            image = image.convert("RGB") if opaque else image
            image.save(folder / label / f"{i}.png")
    return folder
