"""Contact sheets of pictures, with a chequerboard behind transparent ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import Picture
from ganassets.api.errors import InputError

from .decode import to_pixels

COLUMNS = 8
MAX_PICTURES = 64
CELL = 128  # pixels of the square that shows one picture
CAPTION = 12  # pixels, size of the letters
SQUARE = 8  # pixels, side of the chequerboard's squares
DARK, LIGHT = 104, 152  # greys of the squares, equally far from black and white
PAPER, INK = (235, 235, 235), (60, 60, 60)

ByteArray = NDArray[np.uint8]


def contact_sheet(assets: Sequence[Picture]) -> Image.Image:
    """Draw the first 64 pictures, eight in a row, each with its seed and label.

    Raises:
        InputError: There is no picture.
    """
    if not assets:
        raise InputError("a contact sheet needs at least one picture; generate some first.")
    shown = assets[:MAX_PICTURES]
    return grid([asset.pixels for asset in shown], [caption(asset) for asset in shown])


def snapshot(arrays: Mapping[str, NDArray[np.float32]], _conditions: object) -> Image.Image:
    """Sheet of samples during training: (n, 3 or 4, h, w) "picture" in [0, 1]."""
    return grid(to_pixels(arrays["picture"]))


def caption(asset: Picture) -> str:
    """Name the seed and the label of the largest share: "7 elf"."""
    shares = {column.partition(":")[2]: value for column, value in asset.provenance.sliders.items()}
    label = max(shares, key=lambda name: shares[name], default="")
    morph = f" > {asset.provenance.morph[0]}" if asset.provenance.morph else ""
    return f"{asset.provenance.seed}{morph} {label}".rstrip()


def grid(pictures: Sequence[ByteArray] | ByteArray, captions: Sequence[str] = ()) -> Image.Image:
    """Draw an RGB sheet of (h, w, 3 or 4) uint8 pictures, eight in a row, each above its caption if there are any."""
    columns = min(COLUMNS, len(pictures))
    strip = CAPTION * 3 // 2 if captions else 0
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * CELL, rows * (CELL + strip)), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION)
    for i, pixels in enumerate(pictures):
        x, y = i % columns * CELL, i // columns * (CELL + strip)
        picture = cell_of(pixels)
        sheet.paste(picture, (x + (CELL - picture.width) // 2, y + (CELL - picture.height) // 2))
        if captions:
            draw.text((x + 4, y + CELL + 1), captions[i], fill=INK, font=font)
    return sheet


def cell_of(pixels: ByteArray) -> Image.Image:
    """Resize an (h, w, 3 or 4) picture so that its longer side is CELL pixels, over a chequerboard, as RGB."""
    picture = Image.fromarray(pixels)
    share = CELL / max(picture.size)
    method = Image.Resampling.NEAREST if share > 1 else Image.Resampling.BOX
    picture = picture.resize((max(round(picture.width * share), 1), max(round(picture.height * share), 1)), method)
    if picture.mode == "RGB":
        return picture
    y, x = np.indices((picture.height, picture.width)) // SQUARE
    board = Image.fromarray(np.where((x + y) % 2, DARK, LIGHT).astype(np.uint8)).convert("RGB")
    board.paste(picture, mask=picture.getchannel("A"))
    return board
