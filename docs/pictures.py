"""Make the README's picture of the sliders from a model file: `python docs/pictures.py faces.onnx`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganassets.api.registry import load_generator
from ganassets.inference.conditions import ConditionValue
from ganassets.inference.model import open_model
from ganassets.inference.request import GenerationRequest
from ganassets.inference.resolve import generate
from ganassets_faces.preview import load_renderer, views

SEED = 11
CELL = 200
ROWS: dict[str, list[ConditionValue]] = {
    "age": [10.0, 30.0, 50.0, 80.0],
    "sex": [0.0, 0.33, 0.67, 1.0],
    "weight": [0.0, 0.33, 0.67, 1.0],
    "skin_tone": [0.05, 0.35, 0.65, 0.95],
}
BASE: dict[str, ConditionValue] = {
    "age": 30.0,
    "sex": 0.6,
    "weight": 0.5,
    "skin_tone": 0.3,
    "ancestry": {"european": 0.8, "african": 0.2},
}


def main(path: str) -> None:
    """One seed, each slider from low to high."""
    model = open_model(path)
    spec = load_generator(model.manifest.generator)
    renderer = load_renderer()
    sheet = Image.new("RGB", (4 * CELL, len(ROWS) * CELL))
    draw = ImageDraw.Draw(sheet)
    for row, (name, values) in enumerate(ROWS.items()):
        for column, value in enumerate(values):
            conditions = {**BASE, name: value}
            request = GenerationRequest(model=path, seeds=SEED, truncation=0.7, conditions=conditions)
            (head,) = next(iter(generate(model, spec, request)))
            front = np.asarray(views(renderer, head, CELL)[0])
            sheet.paste(Image.fromarray(front), (column * CELL, row * CELL))
            draw.text(
                (column * CELL + 6, row * CELL + CELL - 18),
                f"{name} {value:g}",
                (70, 70, 70),
                ImageFont.load_default(13),
            )
    sheet.save(Path(__file__).parent / "images" / "sliders.jpg", quality=90)


if __name__ == "__main__":
    main(sys.argv[1])
