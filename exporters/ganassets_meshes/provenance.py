"""The provenance of a mesh as lines of text, for the comments of text formats."""

from __future__ import annotations

from ganassets.api.assets import Mesh


def provenance_lines(mesh: Mesh) -> list[str]:
    """Describe a mesh in single lines: software and name, generator and model, seed and sliders, licence, recipe."""
    p = mesh.provenance
    sliders = "".join(f", {name} {value:g}" for name, value in p.sliders.items())
    texts = (
        f"{p.software or 'ganassets'}: {mesh.name}, metres, Y up",
        f"generator {p.generator}, model {p.model_digest}",
        f"seed {p.seed}, truncation {p.truncation:g}{sliders}",
        f"licence {p.licence}",
    )
    lines = [" ".join(text.split()) for text in texts]
    return [*lines, f"recipe {p.recipe}"] if p.recipe else lines
