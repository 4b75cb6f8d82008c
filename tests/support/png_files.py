"""Read PNG files with pypng and Pillow."""

from __future__ import annotations

import io

import numpy as np
import png
from PIL import Image


def read_png(content: bytes) -> np.ndarray:
    """Decode a PNG to (h, w, c) numbers with pypng."""
    width, height, rows, info = png.Reader(bytes=content).read()
    return np.array([np.array(row) for row in rows]).reshape(height, width, info["planes"])


def read_text(content: bytes) -> dict[str, str]:
    """Read the text of a PNG with Pillow."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return dict(getattr(image, "text"))  # noqa: B009  # only PNG images have it
