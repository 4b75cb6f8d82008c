"""The conditions of models that are trained on exemplars. Needs the standard library and ganassets.api alone."""

from __future__ import annotations

from collections.abc import Sequence

from ganassets.api.conditions import Condition

PIECES, HUE, SATURATION, LIGHTNESS, ROUGHNESS, RELIEF = (
    "pieces", "hue", "saturation", "lightness", "roughness", "relief"
)  # fmt: skip

# After the materials' shares. The first of each pair is the value that leaves an exemplar as it is.
SLIDERS: dict[str, tuple[float, Condition]] = {
    PIECES: (
        0.5,
        Condition(PIECES, "Size of the pieces that are put together: 0 is small, most new; 1 is large, most alike."),
    ),
    HUE: (0.0, Condition(HUE, "Turn of all colours around the wheel; 0 leaves them.", -0.5, 0.5, "turns")),
    SATURATION: (1.0, Condition(SATURATION, "0 is grey, 1 as it is, 2 is vivid.", 0.0, 2.0)),
    LIGHTNESS: (0.0, Condition(LIGHTNESS, "Added to all colours.", -0.5, 0.5)),
    ROUGHNESS: (0.0, Condition(ROUGHNESS, "Added to the roughness.", -0.5, 0.5)),
    RELIEF: (1.0, Condition(RELIEF, "0 is flat, 1 as it is, 2 is twice as deep.", 0.0, 2.0)),
}
NEUTRAL = tuple(neutral for neutral, _ in SLIDERS.values())


def exemplar_conditions(names: Sequence[str]) -> tuple[Condition, ...]:
    """Return the conditions of a model of materials with these names."""
    material = Condition("material", "Material, or a mixture that shares the surface.", choices=tuple(names))
    return (material, *(condition for _, condition in SLIDERS.values()))


def slider_value(values: Sequence[float], name: str) -> float:
    """Return a slider's value among those that follow the materials' shares."""
    return float(values[tuple(SLIDERS).index(name)])
