"""The script of docs/blender.md works, here with fewer assets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

DOCUMENT = Path(__file__).parents[3] / "docs" / "blender.md"


def test_the_documents_script_fills_a_library(extended_program: Any, tmp_path: Path) -> None:
    match = re.search(r"^```python overnight.py\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    assert match
    script = re.sub(r'seeds="1-\d+"', 'seeds="1-2"', match[1]).replace('size="1024"', 'size="64"')
    assert script.count('"1-2"') == 4
    (tmp_path / "overnight.py").write_text(script, encoding="utf-8")
    found = extended_program("run_overnight.py", tmp_path / "overnight.py", tmp_path)
    assert found == {"faces-0001.blend": 2, "poses-0001.blend": 2, "textures-0001.blend": 2}
    assert (tmp_path / "night" / "ganassets" / "textures-0002.blend").is_file(), "the bricks are a separate job"
