"""Contact sheet of heads from some sides, each with its seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import Mesh
from ganassets.api.errors import InputError
from ganassets.api.rendering import render_views

MAX_HEADS = 64
FRONT, HALF_LEFT, THREE_QUARTER, PROFILE = 0.0, 30.0, 40.0, 90.0  # degrees about the head
PAPER, INK = (220, 220, 220), (70, 70, 70)


class Layout(NamedTuple):
    """Layout of a contact sheet of heads.

    Attributes:
        azimuths: Sides, degrees about the head.
        cell: Pixels of the square that holds one view.
        columns: Heads in a row.
    """

    azimuths: tuple[float, ...]
    cell: int
    columns: int


# The more heads, the fewer and smaller views: drawing must stay cheap beside generating.
LAYOUTS = {
    4: Layout((FRONT, THREE_QUARTER, PROFILE), 256, 1),
    8: Layout((FRONT, THREE_QUARTER, PROFILE), 176, 2),
    16: Layout((FRONT, THREE_QUARTER), 160, 4),
    MAX_HEADS: Layout((HALF_LEFT,), 128, 8),
}


def layout_for(count: int) -> Layout:
    """Layout of a sheet with that many heads."""
    return next(layout for most, layout in LAYOUTS.items() if min(count, MAX_HEADS) <= most)


def contact_sheet(assets: Sequence[Mesh], layout: Layout | None = None) -> Image.Image:
    """Draw the first 64 heads: up to eight from the front, in three-quarter view and in profile, more from fewer sides.

    Args:
        assets: Heads.
        layout: Sides and sizes; None chooses by the number of heads.

    Returns:
        RGB image with the seed in the corner of each head.

    Raises:
        InputError: There is no head.
    """
    if not assets:
        raise InputError("a contact sheet needs at least one head; generate some first.")
    shown = assets[:MAX_HEADS]
    azimuths, cell, columns = layout or layout_for(len(shown))
    columns = min(columns, len(shown))
    width = len(azimuths) * cell
    sheet = Image.new("RGB", (columns * width, -(-len(shown) // columns) * cell), PAPER)
    draw = ImageDraw.Draw(sheet)
    size = max(11, cell // 18)
    font = ImageFont.load_default(size)
    for i, head in enumerate(shown):
        x, y = i % columns * width, i // columns * cell
        for k, picture in enumerate(render_views(head, cell, azimuths)):
            sheet.paste(picture, (x + k * cell, y), picture)
        corner = (x + size // 2, y + size // 3)
        draw.text(corner, str(head.provenance.seed), fill=INK, font=font, stroke_width=size // 6, stroke_fill=PAPER)
    return sheet
