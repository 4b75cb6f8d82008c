"""Snapshot grids."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from ..api.plugin_calls import draw_snapshot
from ..api.sheets import encode_sheet
from ..api.spec import GeneratorSpec

COLUMNS = 8
CELL = 128


def picture_of(spec: GeneratorSpec, arrays: Mapping[str, np.ndarray], conditions: np.ndarray) -> bytes | None:
    """PNG of samples: the plugin's own snapshot, or a grid; None when there is nothing to show.

    Args:
        spec: the generator.
        arrays: by output name.
        conditions: (n, c) physical.
    """
    if spec.snapshot:
        return draw_snapshot(spec, arrays, conditions)
    sheet = grid(spec, arrays)
    return None if sheet is None else encode_sheet(sheet)


def grid(spec: GeneratorSpec, arrays: Mapping[str, np.ndarray]) -> Image.Image | None:
    """Grid of the first colour picture among the outputs, (n, 3, h, w) in [0, 1]; None when there is none."""
    name = next((o.name for o in spec.outputs if o.axes == ("channel", "height", "width") and o.unit == "sRGB"), None)
    if name is None:
        return None
    pictures = (arrays[name] * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * CELL))
    for i, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture).resize((CELL, CELL)), (i % COLUMNS * CELL, i // COLUMNS * CELL))
    return sheet
