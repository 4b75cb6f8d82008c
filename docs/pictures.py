"""Draw the README's pictures of heads and sliders from a model file: `python docs/pictures.py faces.onnx`."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import Mesh
from ganassets.api.registry import load_generator
from ganassets.api.rendering import render_views
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.model import Model, open_model
from ganassets.inference.request import GenerationRequest, RequestedValue
from ganassets.inference.resolve import generate_assets
from ganassets_faces.preview import FRONT, INK, PAPER, PROFILE, THREE_QUARTER, Layout, contact_sheet

IMAGES = Path(__file__).parent / "images"
HEADS = Layout((FRONT, THREE_QUARTER, PROFILE), 256, 2)
SEED = 11
CELL = 200
ROWS: dict[str, list[RequestedValue]] = {
    "age": [10.0, 30.0, 50.0, 80.0],
    "sex": [0.0, 0.33, 0.67, 1.0],
    "weight": [0.0, 0.33, 0.67, 1.0],
    "skin_tone": [0.05, 0.35, 0.65, 0.95],
}
BASE: dict[str, RequestedValue] = {
    "age": 30.0,
    "sex": 0.6,
    "weight": 0.5,
    "skin_tone": 0.3,
    "ancestry": {"european": 0.8, "african": 0.2},
}


def draw_heads(model: Model, spec: GeneratorSpec) -> Image.Image:
    """Draw sixteen seeds from three sides."""
    heads = [
        head
        for batch in generate_assets(model, spec, GenerationRequest(model=str(model.path), seeds="1-16"))
        for head in batch
        if isinstance(head, Mesh)
    ]
    return contact_sheet(heads, HEADS)


def draw_sliders(model: Model, spec: GeneratorSpec) -> Image.Image:
    """Draw one seed with each slider from low to high."""
    sheet = Image.new("RGB", (4 * CELL, len(ROWS) * CELL), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for row, (name, values) in enumerate(ROWS.items()):
        for column, value in enumerate(values):
            conditions = {**BASE, name: value}
            request = GenerationRequest(model=str(model.path), seeds=SEED, truncation=0.7, conditions=conditions)
            (head,) = next(iter(generate_assets(model, spec, request)))
            assert isinstance(head, Mesh)
            (front,) = render_views(head, CELL, [FRONT])
            x, y = column * CELL, row * CELL
            sheet.paste(front, (x, y), front)
            draw.text((x + 6, y + 4), f"{name} {value:g}", INK, font)
    return sheet


def main(path: str) -> None:
    """Write the pictures."""
    model = open_model(path)
    spec = load_generator(model.manifest.generator)
    draw_heads(model, spec).save(IMAGES / "heads.jpg", quality=90)
    draw_sliders(model, spec).save(IMAGES / "sliders.jpg", quality=90)


if __name__ == "__main__":
    main(sys.argv[1])
