"""Catalogs are added to a library's list without changes to existing lines."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets_blender.catalogs import FILE, add_catalogs, make_identifier, parse_list, read_list

BRICK, HEADS = "GAN Assets/Materials/Brick", "GAN Assets/Heads"
THEIRS = f"# mine\r\nVERSION 1\r\n\r\n{uuid.UUID(int=7)}:Furniture/Chairs:Furniture-Chairs\r\nnonsense"


def test_a_new_list(tmp_path: Path) -> None:
    found = add_catalogs(tmp_path, [BRICK, HEADS])
    text = (tmp_path / FILE).read_text()
    assert "VERSION 1\n" in text and parse_list(text) == found
    assert f"{make_identifier(BRICK)}:{BRICK}:GAN Assets-Materials-Brick\n" in text


def test_twice_is_once(tmp_path: Path) -> None:
    add_catalogs(tmp_path, [BRICK])
    before = (tmp_path / FILE).read_bytes()
    assert add_catalogs(tmp_path, [BRICK]) == {BRICK: make_identifier(BRICK)}
    assert (tmp_path / FILE).read_bytes() == before


def test_the_users_lines_stay(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(THEIRS.encode())
    add_catalogs(tmp_path, [BRICK])
    content = (tmp_path / FILE).read_bytes()
    assert content.startswith(THEIRS.encode() + b"\n") and parse_list(content.decode())["Furniture/Chairs"]


def test_a_catalog_of_that_path_is_taken(tmp_path: Path) -> None:
    own = str(uuid.UUID(int=9))
    (tmp_path / FILE).write_text(f"VERSION 1\n{own}:{BRICK}:Bricks\n")
    assert add_catalogs(tmp_path, [BRICK]) == {BRICK: own}
    assert (tmp_path / FILE).read_text().count(BRICK) == 1


def test_a_catalog_that_was_moved_stays_where_it_is(tmp_path: Path) -> None:
    moved = f"VERSION 1\n{make_identifier(BRICK)}:Walls/Old bricks:Walls-Old bricks\n"
    (tmp_path / FILE).write_text(moved)
    assert add_catalogs(tmp_path, [BRICK]) == {BRICK: make_identifier(BRICK)}
    assert (tmp_path / FILE).read_text() == moved


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b"VERSION 2\n"])
def test_a_file_that_is_no_catalog_is_not_changed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError, match=FILE):
        add_catalogs(tmp_path, [BRICK])
    assert (tmp_path / FILE).read_bytes() == content


def test_a_list_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(InputError, match="can't be read"):
        read_list(tmp_path)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for own in parse_list(text).values():
        assert str(uuid.UUID(own)) == own
