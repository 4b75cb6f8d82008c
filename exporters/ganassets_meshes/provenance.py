"""The provenance of a mesh in words, for the comments of text formats."""

from __future__ import annotations

from ganassets.api.assets import Mesh


def description(mesh: Mesh) -> list[str]:
    """Single lines: software and name, generator and model, seed and sliders, licence, recipe."""
    p = mesh.provenance
    sliders = "".join(f", {name} {value:g}" for name, value in p.sliders.items())
    lines = (
        f"{p.software or 'ganassets'}: {mesh.name}, metres, Y up",
        f"generator {p.generator}, model {p.model_digest}",
        f"seed {p.seed}, truncation {p.truncation:g}{sliders}",
        f"licence {p.licence}",
    )
    told = [" ".join(line.split()) for line in lines]
    return [*told, f"recipe {p.recipe}"] if p.recipe else told
