"""Folders and zips of training data."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from ganassets.data import sources
from ganassets.data.sources import Container, folder_of, list_containers, opened, read_file
from ganassets.errors import InputError

WANTED = "a folder or a zip of things"


def names_and_problems(path: Path, skipped: frozenset[str] = frozenset()) -> tuple[list[str], dict[str, str]]:
    """Full names of all files, and what is wrong by file."""
    containers, problems = list_containers(path, WANTED, skipped)
    return [container.full_name(name) for container in containers for name in container.names], dict(problems)


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    (path / "a.txt").write_bytes(b"a")
    return path


def test_order_and_what_is_skipped(folder: Path) -> None:
    for name in ("b/z", "b/a", "B", ".hidden/x", "b/.hidden", "Renders/x", "__MACOSX/x"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    make_zip(folder / "a.ZIP", {"y": b"", "x/y": b"", "renders/x": b"", ".hidden/x": b""})
    assert names_and_problems(folder, frozenset({"renders"})) == (
        ["B", "a.txt", "b/a", "b/z", "a.ZIP/x/y", "a.ZIP/y"],
        {},
    )
    assert "Renders/x" in names_and_problems(folder)[0]


def test_links(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.txt").write_bytes(b"b")
    (folder / "out.txt").symlink_to(outside / "b.txt")
    (folder / "in.txt").symlink_to(folder / "a.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "out").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    assert names_and_problems(folder) == (["a.txt", "in.txt"], {"out.txt": "a link that leads out of the folder"})
    assert folder_of(folder / "a.txt") == Container(folder, "", ("a.txt", "in.txt"), False)


def test_zips(folder: Path) -> None:
    packed = make_zip(
        folder / "p.zip",
        {"x.txt": b"x", "../up.txt": b"", "/top.txt": b"", "C:\\x.txt": b"", "..\\y.txt": b"", "more.zip": b"PK",
         "deep\\z.txt": b"z"},
    )  # fmt: skip
    names, problems = names_and_problems(folder)
    assert names == ["a.txt", "p.zip/deep/z.txt", "p.zip/x.txt"]
    leading = ("../up.txt", "../y.txt", "/top.txt", "C:/x.txt")
    assert {name for name, why in problems.items() if "leads out" in why} == {f"p.zip/{name}" for name in leading}
    assert "zip within" in problems["p.zip/more.zip"]
    (container,), _ = list_containers(packed, WANTED)
    with opened(container) as open_file:
        assert [read_file(open_file, name, 1) for name in container.names] == [b"z", b"x"]


def test_bad_zips(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(2000)
    good = make_zip(tmp_path / "good.zip", {"a": content, "b": content}).read_bytes()
    locked = bytearray(good)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[good.index(mark) + flags] |= 1
    spoilt = bytearray(good)
    spoilt[200:220] = bytes(20)
    for name, damaged in (("locked", locked), ("cut", good[:-200]), ("text", b"no zip"), ("spoilt", spoilt)):
        (folder / f"{name}.zip").write_bytes(bytes(damaged))
    make_zip(folder / "bomb.zip", {"bomb": bytes(3_000_000), f"a/{'b' * 256}/c": b""})
    monkeypatch.setattr(sources, "LARGEST_MEMBER", 2_000_000)
    names, problems = names_and_problems(folder)
    assert names == ["a.txt", "locked.zip/b", "spoilt.zip/a", "spoilt.zip/b"]
    assert "longer than a file's" in problems.pop(f"bomb.zip/a/{'b' * 256}/c")
    assert "encrypted" in problems["locked.zip/a"] and "unpacked" in problems["bomb.zip/bomb"]
    assert "not a readable zip" in problems["cut.zip"] and "not a readable zip" in problems["text.zip"]
    (container,), _ = list_containers(folder / "spoilt.zip", WANTED)
    with opened(container) as open_file:
        assert read_file(open_file, "b", 2000) == content
        with pytest.raises(InputError, match="damaged in the zip"):
            read_file(open_file, "a", 2000)


def test_too_much(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_bytes(bytes(2**20 + 1))
    with opened(folder_of(folder / "a.txt")) as open_file:
        assert len(read_file(open_file, "a.txt", 2**20 + 1)) == 2**20 + 1
        with pytest.raises(InputError, match="more than 1 MB"):
            read_file(open_file, "a.txt", 2**20)
        with pytest.raises(InputError, match="can't be opened"):
            read_file(open_file, "b.txt", 1)
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for name in "bcde":
        (folder / name).write_bytes(b"")
    names, problems = names_and_problems(folder)
    assert len(names) == 3 and list(problems.values()) == ["more than 3 files; those after this one are left out"]
    with pytest.raises(InputError, match="more than 3 files"):
        list_containers(make_zip(tmp_path / "many.zip", {str(i): b"" for i in range(4)}), WANTED)


def test_neither_folder_nor_zip(folder: Path) -> None:
    with pytest.raises(InputError, match="doesn't exist; give a folder or a zip of things"):
        list_containers(folder / "nowhere", WANTED)
    with pytest.raises(InputError, match=r"can't be read \(not a readable zip: .*\); give a folder or a zip of things"):
        list_containers(folder / "a.txt", WANTED)
