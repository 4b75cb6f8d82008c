"""Load images as data, and print their size, number type and some texels as JSON.

Usage: python read_images.py IMAGE ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]


def main(*paths: str) -> None:
    """Load the images and report."""
    print("REPORT " + json.dumps({Path(path).name: describe(path) for path in paths}))


def describe(path: str) -> dict:
    """Size of an image, and RGBA of the texels on its diagonal, from the lower left."""
    image = bpy.data.images.load(path)
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    texels = list(image.pixels)
    corners = (4 * (k * width + k) for k in range(min(width, height)))
    return {"size": [width, height], "float": image.is_float, "diagonal": [texels[at : at + 4] for at in corners]}


if __name__ == "__main__":
    main(*sys.argv[1:])
