"""The Khronos glTF Validator finds no problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

# The mouth has no texture yet, but artists need its texture coordinates.
TOLERATED = "infos: UNUSED_OBJECT"


def check(report: dict[str, Any], files: int) -> None:
    """Check that there are no errors, warnings or hints, and only tolerated infos."""
    assert report["files"] == files
    assert (report["errors"], report["warnings"], report["hints"]) == (0, 0, 0), report["messages"]
    assert all(message.startswith(TOLERATED) for message in report["messages"]), report["messages"]
    assert all(where.endswith("TEXCOORD_0") for where in report["messages"].values())


def test_hundred_heads(node: Callable[..., dict[str, Any]], write_head: Callable[..., Path]) -> None:
    check(node("validate.mjs", *(write_head(seed, 64) for seed in range(100))), 100)


def test_every_option(node: Callable[..., dict[str, Any]], write_head: Callable[..., Path]) -> None:
    options = (
        {"morphs": False},
        {"skin": False},
        {"morphs": False, "skin": False},
        {"texture_size": 32, "image_format": "jpeg"},
    )
    check(node("validate.mjs", *(write_head(11, **chosen) for chosen in options)), len(options))


def test_a_broken_file_is_found(
    node: Callable[..., dict[str, Any]], write_head: Callable[..., Path], tmp_path: Path
) -> None:
    content = bytearray(write_head(11).read_bytes())
    start = 20 + int.from_bytes(content[12:16], "little") + 8
    content[start : start + 4] = b"\xff\xff\xfe\xff"  # the first two indices
    broken = tmp_path / "broken.glb"
    broken.write_bytes(content)
    assert node("validate.mjs", broken)["errors"] > 0
