"""Draw pictures of the docs from a model file.

python docs/pictures.py faces.onnx                      (heads and sliders)
python docs/pictures.py model.onnx my-materials/        (your own materials beside seeds and a mixture)
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import Mesh, TextureSet
from ganassets.api.registry import load_generator
from ganassets.api.rendering import render_views
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.model import Model, open_model
from ganassets.inference.request import GenerationRequest, RequestedValue
from ganassets.inference.resolve import generate_assets
from ganassets_faces.preview import FRONT, INK, PAPER, PROFILE, THREE_QUARTER, Layout, contact_sheet
from ganassets_textures.sets import read_sets

IMAGES = Path(__file__).parent / "images"
HEADS = Layout((FRONT, THREE_QUARTER, PROFILE), 256, 2)
SEED = 11
CELL = 200
MATERIAL_CELL, STRIP = 256, 20
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


def draw_materials(model: Model, spec: GeneratorSpec, folder: Path) -> Image.Image:
    """Draw each material of a folder beside three seeds, and mixtures of neighbouring ones, under light."""
    sets = read_sets(folder)[0]
    names = model.manifest.conditions[0].choices
    sheet = Image.new("RGB", (5 * MATERIAL_CELL, len(sets) * (MATERIAL_CELL + STRIP)), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for row, (source, name) in enumerate(zip(sets, names, strict=True)):
        other = names[(row + 1) % len(names)]
        shares: dict[str, RequestedValue] = {"material": {name: 0.6, other: 0.4}}
        made = [make_material(model, spec, seed, {"material": {name: 1.0}}) for seed in (1, 2, 3)]
        made.append(make_material(model, spec, 1, shares))
        y = row * (MATERIAL_CELL + STRIP)
        captions = [f"{name}, yours", "seed 1", "seed 2", "seed 3", f"mixed with {other}"]
        for column, picture in enumerate([Image.fromarray(source.albedo), *made]):
            side = min(picture.size)
            cell = picture.crop((0, 0, side, side)).resize((MATERIAL_CELL - 4, MATERIAL_CELL - 4))
            sheet.paste(cell, (column * MATERIAL_CELL, y))
            draw.text((column * MATERIAL_CELL + 4, y + MATERIAL_CELL), captions[column], INK, font)
    return sheet


def make_material(model: Model, spec: GeneratorSpec, seed: int, conditions: dict[str, RequestedValue]) -> Image.Image:
    """Make the colours of one material."""
    request = GenerationRequest(model=str(model.path), seeds=seed, conditions=conditions)
    (asset,) = next(iter(generate_assets(model, spec, request)))
    assert isinstance(asset, TextureSet)
    return Image.fromarray((asset.albedo * 255 + 0.5).astype("uint8"))


def main(path: str, folder: str = "") -> None:
    """Write the pictures."""
    model = open_model(path)
    spec = load_generator(model.manifest.generator)
    if folder:
        draw_materials(model, spec, Path(folder)).save(IMAGES / "own-materials.jpg", quality=88)
        return
    draw_heads(model, spec).save(IMAGES / "heads.jpg", quality=90)
    draw_sliders(model, spec).save(IMAGES / "sliders.jpg", quality=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
