"""The table of engines: what exporters rely on, and its copy in docs/engines.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganassets.api.engines import ENGINES, Engine
from ganassets.api.images.texture_maps import CHANNELS
from ganassets.api.rig_options import RIG_NAMES

DOCS = Path(__file__).parents[2] / "docs/engines.md"
COLUMNS = (
    "engine", "up, front, handedness", "units in a metre", "normal map", "images of a material",
    "mesh, without joints, clip", "rig",
)  # fmt: skip


def table_row(engine: Engine) -> str:
    """Write an engine as a row of the table in docs/engines.md."""
    names = (engine.skinned_mesh, engine.static_mesh, engine.animation)
    cells = (
        engine.title,
        f"{engine.up}, {engine.front}, {engine.handedness}",
        f"{engine.units_per_metre:g}",
        "+Y" if engine.normal_y > 0 else "-Y",
        ", ".join(f"`{file.name.format('NAME')}`" for file in engine.textures),
        ", ".join(f"`{name.format('NAME')}`" for name in names),
        f"`{engine.rig}`",
    )
    return f"| {' | '.join(cells)} |"


def test_the_documentation_shows_the_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    head = f"| {' | '.join(COLUMNS)} |"
    rows = [head, "| --- " * len(COLUMNS) + "|", *map(table_row, ENGINES.values())]
    assert "\n".join(rows) in text


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.title)
def test_rows_are_valid(engine: Engine) -> None:
    assert engine.rig in RIG_NAMES
    assert engine.normal_y in (1, -1) and engine.up in ("Y", "Z") and engine.handedness in ("right", "left")
    assert engine.front[0] in "+-" and engine.front[1] in "XYZ" and engine.front[1] != engine.up
    assert {name for file in engine.textures for name in file.channels} <= set(CHANNELS)
    assert all(len(file.channels) in (1, 3, 4) and file.name.count("{}") == 1 for file in engine.textures)
    assert len({file.name for file in engine.textures}) == len(engine.textures)
    assert [file.is_colour for file in engine.textures] == [True] + [False] * (len(engine.textures) - 1)
    assert all(name.count("{}") == 1 for name in (engine.skinned_mesh, engine.static_mesh, engine.animation))
    assert all(name.count("{}") == 2 for name in (engine.mesh_albedo, engine.mesh_roughness))


def test_the_table_loads_no_numbers() -> None:
    code = "import sys, ganassets.api.engines; print(sorted({'numpy', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
