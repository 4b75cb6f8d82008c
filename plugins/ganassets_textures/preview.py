"""Contact sheet of materials: each is tiled 2 x 2 under light, with a sphere in its corner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import TextureSet
from ganassets.api.errors import InputError
from ganassets.api.shading import shade_plane, shade_sphere

from .materials import CLASSES

COLUMNS = 8
MAX_MATERIALS = 64
SPHERE = 0.34  # share of the cell's width
PAPER, INK = (235, 235, 235), (60, 60, 60)


def contact_sheet(assets: Sequence[TextureSet], cell: int = 256) -> Image.Image:
    """Draw the first 64 materials, eight in a row, each with its seed and class.

    Args:
        assets: Materials of any size.
        cell: Pixels of the square that shows one.

    Raises:
        InputError: There is no material.
    """
    if not assets:
        raise InputError("a contact sheet needs at least one material; generate some first.")
    shown = assets[:MAX_MATERIALS]
    columns = min(COLUMNS, len(shown))
    size = max(11, cell // 18)
    font = ImageFont.load_default(size)
    strip = round(1.7 * size)
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + strip)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, asset in enumerate(shown):
        x, y = i % columns * cell, i // columns * (cell + strip)
        sheet.paste(picture(asset, cell), (x, y))
        draw.text((x + size // 2, y + cell + strip // 8), caption(asset), fill=INK, font=font)
    return sheet


def picture(asset: TextureSet, cell: int) -> Image.Image:
    """Draw the material on a plane, 2 x 2 tiles if it tiles, and on a small sphere in the corner."""
    rows, columns = asset.height.shape
    repeat = 2 if asset.tiles else min(rows, columns) / max(rows, columns)  # a crop shows its upper left square
    plane = Image.fromarray(shade_plane(asset, cell, repeat))
    side = round(SPHERE * cell)
    # The sphere is drawn on its own background; a disc of its size lets the plane show around it.
    disc = Image.new("L", (4 * side, 4 * side))
    ImageDraw.Draw(disc).ellipse([side * 0.17, side * 0.17, side * 3.83, side * 3.83], fill=255)
    corner = cell - side - cell // 40
    plane.paste(Image.fromarray(shade_sphere(asset, side, repeat)), (corner, corner), disc.resize((side, side)))
    return plane


def caption(asset: TextureSet) -> str:
    """Name the seed and the material of the largest share: "7 brick"."""
    sliders = asset.provenance.sliders
    shares = np.array([sliders.get(f"material:{name}", 0.0) for name in CLASSES])
    name = CLASSES[int(shares.argmax())] if shares.any() else ""
    morph = f" > {asset.provenance.morph[0]}" if asset.provenance.morph else ""
    return f"{asset.provenance.seed}{morph} {name}".rstrip()
