"""Ranges of the sliders of real materials, by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Range = tuple[float, float]
ColourRanges = tuple[tuple[Range, Range, Range], ...]


@dataclass(frozen=True)
class SliderRanges:
    """Usual values of the sliders of a class of materials.

    Attributes:
        colours: Ranges of hue (turns; may run below 0), saturation and lightness; one of them is drawn.
        roughness, relief, scale, aspect: Ranges; scale and aspect are drawn evenly in their logarithms.
        staggers: Values of which one is drawn.
    """

    colours: ColourRanges
    roughness: Range
    relief: Range
    scale: Range
    aspect: Range
    staggers: tuple[float, ...]


ANY: Range = (0.0, 1.0)
WOOD: ColourRanges = (
    ((0.065, 0.1), (0.2, 0.45), (0.35, 0.65)),
    ((0.045, 0.085), (0.25, 0.5), (0.18, 0.38)),
    ((0.02, 0.07), (0.2, 0.45), (0.1, 0.25)),
    ((0.07, 0.12), (0.03, 0.2), (0.25, 0.7)),
)
STONE: ColourRanges = (
    ((0.06, 0.16), (0.0, 0.06), (0.2, 0.6)),
    ((0.04, 0.14), (0.05, 0.3), (0.25, 0.6)),
    ((0.5, 0.66), (0.03, 0.15), (0.2, 0.5)),
)

SLIDER_RANGES: dict[str, SliderRanges] = {
    "brick": SliderRanges(
        (
            ((0.0, 0.055), (0.22, 0.45), (0.26, 0.48)),
            ((0.03, 0.11), (0.12, 0.38), (0.35, 0.65)),
            (ANY, (0.0, 0.1), (0.25, 0.88)),
        ),
        (0.65, 0.95), (0.3, 1.0), (24, 48), (2.0, 4.0), (0.5, 0.5, 0.5, 0.5, 0.33, 0.0),
    ),
    "cobble": SliderRanges(STONE, (0.5, 0.9), (0.4, 1.0), (24, 64), (1.0, 2.0), (0.5, 0.5, 1.0, 0.0)),
    "tile": SliderRanges(
        (
            (ANY, (0.0, 0.1), (0.3, 0.95)),
            ((0.04, 0.13), (0.1, 0.4), (0.4, 0.85)),
            (ANY, (0.15, 0.5), (0.25, 0.75)),
        ),
        (0.06, 0.6), (0.2, 0.8), (24, 64), (1.0, 1.0), (0.0, 0.0, 0.5),
    ),
    "plank": SliderRanges(WOOD, (0.35, 0.85), (0.25, 0.9), (24, 64), (4.0, 8.0), (1.0, 1.0, 0.5)),
    "bark": SliderRanges(
        (((0.04, 0.1), (0.1, 0.35), (0.18, 0.42)), (ANY, (0.0, 0.08), (0.2, 0.5))),
        (0.75, 1.0), (0.5, 1.0), (32, 64), (0.5, 1.0), (1.0,),
    ),
    "fabric": SliderRanges(
        (
            (ANY, (0.0, 0.12), (0.15, 0.85)),
            ((0.04, 0.14), (0.1, 0.4), (0.35, 0.8)),
            (ANY, (0.2, 0.55), (0.2, 0.55)),
        ),
        (0.7, 1.0), (0.3, 1.0), (16, 24), (1.6, 2.6), (0.5, 0.5, 0.5, 0.0),
    ),
    "leather": SliderRanges(
        (
            ((0.01, 0.09), (0.25, 0.6), (0.12, 0.45)),
            (ANY, (0.0, 0.12), (0.08, 0.85)),
            ((-0.06, 0.02), (0.3, 0.6), (0.15, 0.35)),
        ),
        (0.3, 0.75), (0.3, 0.9), (16, 32), (1.0, 1.0), (1.0,),
    ),
    "brushed-metal": SliderRanges(
        (
            ((0.5, 0.68), (0.0, 0.06), (0.45, 0.85)),
            ((0.09, 0.13), (0.3, 0.6), (0.5, 0.7)),
            ((0.03, 0.06), (0.3, 0.55), (0.5, 0.72)),
        ),
        (0.15, 0.5), (0.2, 0.8), (40, 64), (1.0, 4.0), (0.0, 0.5),
    ),
    "painted-metal": SliderRanges(
        (
            ((-0.05, 0.14), (0.25, 0.6), (0.28, 0.48)),
            ((0.3, 0.62), (0.12, 0.42), (0.25, 0.55)),
            (ANY, (0.0, 0.12), (0.15, 0.85)),
        ),
        (0.25, 0.65), (0.3, 1.0), (48, 64), (0.8, 3.0), (0.0,),
    ),
    "rusted-metal": SliderRanges(
        (((0.03, 0.075), (0.35, 0.65), (0.2, 0.38)),),
        (0.6, 0.95), (0.4, 1.0), (48, 64), (1.0, 3.0), (0.0, 0.5),
    ),
    "marble": SliderRanges(
        (
            (ANY, (0.0, 0.12), (0.75, 0.93)),
            (ANY, (0.0, 0.15), (0.08, 0.25)),
            ((0.02, 0.14), (0.15, 0.4), (0.45, 0.8)),
            ((0.3, 0.5), (0.08, 0.22), (0.15, 0.35)),
        ),
        (0.05, 0.4), (0.1, 0.6), (32, 64), (1.0, 1.0), (0.0,),
    ),
    "concrete": SliderRanges(
        (((0.07, 0.14), (0.02, 0.15), (0.35, 0.7)), (ANY, (0.0, 0.04), (0.18, 0.65))),
        (0.6, 0.95), (0.2, 0.9), (48, 64), (1.0, 3.0), (0.0, 0.5),
    ),
    "plaster": SliderRanges(
        (
            ((0.06, 0.15), (0.03, 0.25), (0.55, 0.9)),
            (ANY, (0.0, 0.06), (0.5, 0.92)),
            ((0.0, 0.12), (0.2, 0.45), (0.5, 0.7)),
            (ANY, (0.06, 0.22), (0.45, 0.75)),
        ),
        (0.65, 0.95), (0.2, 0.9), (24, 64), (1.0, 1.0), (0.0,),
    ),
    "rock": SliderRanges(STONE, (0.6, 0.95), (0.5, 1.0), (40, 64), (1.0, 3.0), (1.0, 0.5)),
    "ground": SliderRanges(
        (((0.05, 0.1), (0.15, 0.4), (0.15, 0.45)), ((0.08, 0.13), (0.08, 0.3), (0.3, 0.6))),
        (0.8, 1.0), (0.4, 1.0), (24, 64), (1.0, 1.0), (1.0,),
    ),
    "gravel": SliderRanges(
        (((0.5, 0.65), (0.0, 0.08), (0.3, 0.6)), ((0.05, 0.12), (0.06, 0.3), (0.3, 0.65))),
        (0.65, 0.95), (0.5, 1.0), (16, 32), (1.0, 1.0), (1.0,),
    ),
    "sand": SliderRanges(
        (((0.07, 0.12), (0.15, 0.45), (0.45, 0.75)), ((0.04, 0.14), (0.02, 0.2), (0.3, 0.8))),
        (0.8, 1.0), (0.2, 0.9), (16, 64), (1.0, 1.0), (0.0,),
    ),
    "grass": SliderRanges(
        (((0.2, 0.27), (0.22, 0.45), (0.2, 0.36)), ((0.15, 0.22), (0.18, 0.42), (0.24, 0.4))),
        (0.75, 1.0), (0.5, 1.0), (24, 64), (1.0, 1.0), (1.0,),
    ),
}  # fmt: skip


def draw_sliders(material: str, rng: np.random.Generator) -> dict[str, float]:
    """Draw usual sliders of a class of materials: all that paint_material needs, within materials.CONDITIONS."""
    table = SLIDER_RANGES[material]
    hue, saturation, lightness = table.colours[rng.integers(len(table.colours))]
    return {
        "hue": float(rng.uniform(*hue) % 1),
        "saturation": float(rng.uniform(*saturation)),
        "lightness": float(rng.uniform(*lightness)),
        "roughness": float(rng.uniform(*table.roughness)),
        "relief": float(rng.uniform(*table.relief)),
        "wear": float(rng.beta(1.0, 2.6)),
        "scale": float(np.exp(rng.uniform(*np.log(table.scale)))),
        "aspect": float(np.exp(rng.uniform(*np.log(table.aspect)))),
        "stagger": float(rng.choice(table.staggers)),
    }
