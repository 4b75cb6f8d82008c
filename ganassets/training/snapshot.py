"""Draw samples as a grid of images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from ..api.plugin_calls import draw_snapshot
from ..api.sheets import encode_sheet
from ..api.spec import GeneratorSpec

COLUMNS = 8
# Width and height of a cell of the grid, in pixels.
CELL = 128


def draw_samples(spec: GeneratorSpec, outputs: Mapping[str, np.ndarray], conditions: np.ndarray) -> bytes | None:
    """Draw samples with the plugin's own snapshot function, or as a grid.

    Args:
        spec: Generator of the samples.
        outputs: (n, ...) by output name.
        conditions: (n, c) physical condition values.

    Returns:
        A PNG; None when no output can be shown.
    """
    if spec.snapshot:
        return draw_snapshot(spec, outputs, conditions)
    sheet = draw_grid(spec, outputs)
    return None if sheet is None else encode_sheet(sheet)


def draw_grid(spec: GeneratorSpec, outputs: Mapping[str, np.ndarray]) -> Image.Image | None:
    """Draw a grid of the first colour image among the outputs, (n, 3, h, w) in [0, 1]; None without one."""
    name = next((o.name for o in spec.outputs if o.axes == ("channel", "height", "width") and o.unit == "sRGB"), None)
    if name is None:
        return None
    pixels = (outputs[name] * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
    rows = -(-len(pixels) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, rows * CELL))
    for i, image in enumerate(pixels):
        sheet.paste(Image.fromarray(image).resize((CELL, CELL)), (i % COLUMNS * CELL, i // COLUMNS * CELL))
    return sheet
