"""A browser compiles the shader that MaterialX' own library generates from a document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganassets_materialx import EXPORTER
from texture_sets import make_bricks

pytest.importorskip("MaterialX")
pytestmark = pytest.mark.real

from materialx_shaders import generate, parse  # noqa: E402


def test_webgl_takes_the_shader(node: Callable[..., dict[str, Any]], chromium: str, tmp_path: Path) -> None:
    shader = generate(parse(EXPORTER.export(make_bricks(16), {})["bricks.mtlx"]), "essl")
    stages = {"VERTEX_SHADER": shader.getSourceCode("vertex"), "FRAGMENT_SHADER": shader.getSourceCode("pixel")}
    path = tmp_path / "stages.json"
    path.write_text(json.dumps(stages))
    found = node("shader.mjs", chromium, path)
    assert found["linked"] and not any(found["logs"].values()) and found["complaints"] == []
    read = {f"{part}_file" for part in ("albedo", "metalness", "roughness", "normal")}
    assert read <= set(found["pictures"]), "none is left out as without effect"

    path.write_text(
        json.dumps(stages | {"FRAGMENT_SHADER": stages["FRAGMENT_SHADER"].replace("normal_out", "gone", 1)})
    )
    assert not node("shader.mjs", chromium, path)["linked"], "what isn't right is found"
