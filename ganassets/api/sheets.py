"""Encode contact sheets and snapshots as PNG, marked so that no data folder takes them for training pictures."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SHEET = "ganassets"  # key of the PNG's text that marks a picture as drawn by this program
COMPRESSION = 2  # 0 to 9; Pillow's default, 6, takes three times as long and saves a tenth


def encode_sheet(image: Image.Image) -> bytes:
    """Encode a contact sheet or snapshot as PNG with the mark."""
    notes, content = PngInfo(), BytesIO()
    notes.add_text(SHEET, "contact sheet")
    image.save(content, "PNG", pnginfo=notes, compress_level=COMPRESSION)
    return content.getvalue()
