"""KTX2 without basisu: the arguments that the program gets, and the text that is added to its file."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets_images import EXPORTER, UNITY
from ganassets_images.ktx2 import add_text, read_key_values, write_key_values
from support.texture_sets import make_bricks

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
IDENTIFIER = b"\xabKTX 20\xbb\r\n\x1a\n"


def make_file(levels: list[bytes], book: bytes, notes: bytes) -> bytes:
    """Build a KTX2 file with a format descriptor of 44 bytes, key/value data, an optional code book, and levels.

    The smallest level is the first; each starts at a multiple of 16.
    """
    described = 80 + 24 * len(levels)
    at = described + 44
    notes_at = at
    content = bytes(44) + notes
    at += len(notes)
    if book:
        content += bytes(-at % 8)
        at += -at % 8
    book_at = at if book else 0
    content += book
    at += len(book)
    index = b""
    for level in levels[::-1]:
        content += bytes(-at % 16) + level
        at += -at % 16
        index = struct.pack("<3Q", at, len(level), len(level)) + index
        at += len(level)
    numbers = struct.pack("<9I", 0, 1, 4, 4, 0, 0, 1, len(levels), 1)
    places = struct.pack("<4I2Q", described, 44, notes_at, len(notes), book_at, len(book))
    return IDENTIFIER + numbers + places + index + content


def parts(content: bytes) -> tuple[dict[str, bytes], bytes, list[bytes]]:
    """Find key/value data, code book and levels by their offsets; fails if one is not aligned."""
    notes_at, notes_length, book_at, book_length = struct.unpack_from("<2I2Q", content, 56)
    (count,) = struct.unpack_from("<I", content, 40)
    levels = []
    for number in range(count):
        at, length, _ = struct.unpack_from("<3Q", content, 80 + 24 * number)
        assert at % 16 == 0
        levels.append(content[at : at + length])
    assert notes_at % 4 == 0 and book_at % 8 == 0
    return (
        read_key_values(content[notes_at : notes_at + notes_length]),
        content[book_at : book_at + book_length],
        levels,
    )


@given(
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4),
    st.binary(max_size=20),
    st.dictionaries(st.from_regex(r"[A-Z][a-z ]{0,9}", fullmatch=True), st.text(max_size=20), min_size=1, max_size=5),
)
def test_text_leaves_the_rest_unchanged(levels: list[bytes], book: bytes, notes: dict[str, str]) -> None:
    notes = {key: text.replace("\0", "").rstrip(" ") for key, text in notes.items()}
    before = make_file(levels, book, write_key_values({"KTXwriter": b"someone\0"}))
    found, found_book, found_levels = parts(add_text(before, notes))
    assert (found_book, found_levels) == (book, levels)
    assert list(found) == sorted(found) and found.pop("KTXwriter") == b"someone\0"
    assert {key: text.decode().removesuffix("\0").rstrip(" ") for key, text in found.items()} == notes


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a script in the place of basisu; returns the file in which it records its arguments."""
    log = tmp_path / "arguments"
    (tmp_path / "empty").write_bytes(make_file([b"texels"], b"", write_key_values({"KTXwriter": b"stand-in\0"})))
    program = tmp_path / "basisu"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\n"
        f"with open({str(log)!r}, 'a') as log: print(*sys.argv[1:], file=log)\n"
        f"shutil.copy({str(tmp_path / 'empty')!r}, sys.argv[-1])\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return log


def test_each_map_is_compressed_for_its_content(arguments: Path) -> None:
    files = UNITY.export(make_bricks(8), DEFAULTS | {"format": "ktx2"})
    assert list(files) == [f"bricks_{what}.ktx2" for what in ("BaseMap", "Normal", "MaskMap", "Height")]
    colour, normal, mask, height = arguments.read_text().splitlines()
    assert "-uastc_rdo_l" in colour and "-linear" not in colour
    assert "-uastc" in normal and "-mip_renorm" in normal and "-normal_map" in normal
    assert all("-linear" in line and "-uastc_rdo_l" not in line for line in (mask, height))
    assert "-mip_clamp" not in colour and all("-mipmap" in line for line in (colour, normal, mask, height))
    notes = parts(files["bricks_Height.ktx2"])[0]
    assert notes["Copyright"] == b"CC0-1.0\0" and notes["Height low"].startswith(b"-")


def test_what_does_not_tile_is_clamped(arguments: Path) -> None:
    UNITY.export(replace(make_bricks(8), tiles=False), DEFAULTS | {"format": "ktx2"})
    assert arguments.read_text().count("-mip_clamp") == 4


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="needs the program basisu of Basis Universal on the PATH"):
        EXPORTER.export(make_bricks(8), DEFAULTS | {"format": "ktx2"})


def test_a_program_that_fails(arguments: Path) -> None:
    (arguments.parent / "basisu").write_text("#!/bin/sh\necho no memory >&2\nexit 1\n")
    with pytest.raises(InputError, match="basisu couldn't write KTX2: no memory"):
        EXPORTER.export(make_bricks(8), DEFAULTS | {"format": "ktx2"})
