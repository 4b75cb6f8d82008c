"""Folders and zips of training data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.data import sources
from ganassets.api.data.records import (
    HIDDEN,
    LEFT_BEHIND,
    LINK,
    NOT_READ,
    OUTSIDE,
    PREVIEW,
    TOO_LARGE,
    TOO_MANY,
    UNREADABLE,
    FileRecord,
    count_files,
)
from ganassets.api.data.sources import Container, folder_of, list_containers, open_container, read_file, unread_records
from ganassets.api.errors import InputError
from support.zip_files import write_zip

EXPECTED = "a folder or a zip of things"


def names_and_problems(path: Path, skipped: frozenset[str] = frozenset()) -> tuple[list[str], dict[str, str]]:
    """Return the full names of all files, and their problems by file."""
    containers, records = list_containers(path, EXPECTED, skipped)
    names = [container.full_name(name) for container in containers for name in container.names]
    assert not set(names) & {record.file for record in records}
    return names, {record.file: record.reason for record in records}


def categories(path: Path, previews: frozenset[str] = frozenset()) -> dict[str, str]:
    """Category of each file that is left out."""
    return {record.file: record.category for record in list_containers(path, EXPECTED, previews)[1]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    (path / "a.txt").write_bytes(b"a")
    return path


def test_order_and_skipped_files(folder: Path) -> None:
    for name in ("b/z", "b/a", "B", ".hidden/x", "b/.hidden", "Renders/x", "__MACOSX/x", "b/._a", "Thumbs.db"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    write_zip(folder / "a.ZIP", {"y": b"", "x/y": b"", "renders/x": b"", ".hidden/x": b"", "x/._y": b"", ".z": b""})
    assert names_and_problems(folder, frozenset({"renders"}))[0] == [
        "B", "a.txt", "b/a", "b/z", "a.ZIP/x/y", "a.ZIP/y",
    ]  # fmt: skip
    assert categories(folder, frozenset({"renders"})) == {
        "Renders/x": PREVIEW, "a.ZIP/renders/x": PREVIEW,
        ".hidden/x": HIDDEN, "b/.hidden": HIDDEN, "a.ZIP/.hidden/x": HIDDEN, "a.ZIP/.z": HIDDEN,
        "__MACOSX/x": LEFT_BEHIND, "b/._a": LEFT_BEHIND, "Thumbs.db": LEFT_BEHIND, "a.ZIP/x/._y": LEFT_BEHIND,
    }  # fmt: skip
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
    assert names_and_problems(folder)[0] == ["a.txt", "in.txt"]
    assert categories(folder) == {
        "out.txt": OUTSIDE, "loop.txt": UNREADABLE, "out": LINK, "round": LINK, "pipe.txt": NOT_READ,
    }  # fmt: skip
    assert folder_of(folder / "a.txt") == Container(folder, "", ("a.txt", "in.txt"), False)


def test_zips(folder: Path) -> None:
    packed = write_zip(
        folder / "p.zip",
        {"x.txt": b"x", "../up.txt": b"", "/top.txt": b"", "C:\\x.txt": b"", "..\\y.txt": b"", "more.zip": b"PK",
         "deep\\z.txt": b"z"},
    )  # fmt: skip
    names, problems = names_and_problems(folder)
    assert names == ["a.txt", "p.zip/deep/z.txt", "p.zip/x.txt"]
    leading = ("../up.txt", "../y.txt", "/top.txt", "C:/x.txt")
    assert {name for name, why in problems.items() if "leads out" in why} == {f"p.zip/{name}" for name in leading}
    assert "zip within" in problems["p.zip/more.zip"]
    (container,), _ = list_containers(packed, EXPECTED)
    with open_container(container) as open_file:
        assert [read_file(open_file, name, 1) for name in container.names] == [b"z", b"x"]


def test_bad_zips(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(2000)
    good = write_zip(tmp_path / "good.zip", {"a": content, "b": content}).read_bytes()
    locked = bytearray(good)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[good.index(mark) + flags] |= 1
    spoilt = bytearray(good)
    spoilt[200:220] = bytes(20)
    for name, damaged in (("locked", locked), ("cut", good[:-200]), ("text", b"no zip"), ("spoilt", spoilt)):
        (folder / f"{name}.zip").write_bytes(bytes(damaged))
    write_zip(folder / "bomb.zip", {"bomb": bytes(3_000_000), f"a/{'b' * 256}/c": b""})
    monkeypatch.setattr(sources, "LARGEST_MEMBER", 2_000_000)
    names, problems = names_and_problems(folder)
    assert names == ["a.txt", "locked.zip/b", "spoilt.zip/a", "spoilt.zip/b"]
    assert categories(folder)["bomb.zip/bomb"] == TOO_LARGE
    assert "longer than a file's" in problems.pop(f"bomb.zip/a/{'b' * 256}/c")
    assert "encrypted" in problems["locked.zip/a"] and "unpacked" in problems["bomb.zip/bomb"]
    assert "not a readable zip" in problems["cut.zip"] and "not a readable zip" in problems["text.zip"]
    (container,), _ = list_containers(folder / "spoilt.zip", EXPECTED)
    with open_container(container) as open_file:
        assert read_file(open_file, "b", 2000) == content
        with pytest.raises(InputError, match="damaged in the zip"):
            read_file(open_file, "a", 2000)


def test_too_much(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_bytes(bytes(2**20 + 1))
    with open_container(folder_of(folder / "a.txt")) as open_file:
        assert len(read_file(open_file, "a.txt", 2**20 + 1)) == 2**20 + 1
        with pytest.raises(InputError, match="more than 1 MB"):
            read_file(open_file, "a.txt", 2**20)
        with pytest.raises(InputError, match="can't be opened"):
            read_file(open_file, "b.txt", 1)
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for name in "bcde":
        (folder / name).write_bytes(b"")
    names, problems = names_and_problems(folder)
    assert names == ["a.txt", "b", "c"]
    assert problems == {"d": "more than 3 files; 2 files from this one on are left out"}
    assert count_files(list_containers(folder, EXPECTED)[1]).left_out == {TOO_MANY: 2}
    monkeypatch.setattr(sources, "MOST_COUNTED", 1)
    assert names_and_problems(folder)[1] == {"d": "more than 3 files; at least 1 files from this one on are left out"}
    with pytest.raises(InputError, match="more than 3 files"):
        list_containers(write_zip(tmp_path / "many.zip", {str(i): b"" for i in range(4)}), EXPECTED)


@pytest.mark.parametrize("packed", [False, True])
def test_hidden_files_take_the_place_of_no_data(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(sources, "MOST_FILES", 5)
    monkeypatch.setattr(sources, "MOST_NAMED", 3)
    names = ["a.txt", *(f"in/{i}" for i in range(3)), *(f".git/{i % 2}/{i}" for i in range(9))]
    names += [*(f"in/._{i}" for i in range(4)), "in/.x", "in/deep/.y"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    given = write_zip(tmp_path / "data.zip", dict.fromkeys(sorted(names), b"")) if packed else folder
    containers, records = list_containers(given, EXPECTED)
    assert [name for container in containers for name in container.names] == ["a.txt", "in/0", "in/1", "in/2"]
    assert {record.file: record.count for record in records} == {
        ".git/0/0": 9, "in/._0": 4, "in/.x": 1, "in/deep/.y": 1,
    }  # fmt: skip
    assert records[0].reason.endswith("begins with a dot; 9 such files in .git")
    totals = count_files(records)
    assert totals.left_out == {HIDDEN: 11, LEFT_BEHIND: 4} and totals.found == 15


def test_records_of_hidden_files_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_FILES", 4)
    for name in (f"{part}/.{i}" for part in "abc" for i in range(3)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    records = list_containers(folder, EXPECTED)[1]
    assert [record.count for record in records] == [1, 1, 1, 3, 3]


def test_neither_folder_nor_zip(folder: Path) -> None:
    with pytest.raises(InputError, match="doesn't exist; give a folder or a zip of things"):
        list_containers(folder / "nowhere", EXPECTED)
    with pytest.raises(InputError, match=r"a.txt is neither a folder nor a zip; give a folder or a zip of things"):
        list_containers(folder / "a.txt", EXPECTED)
    (folder / "cut.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"can't be read \(not a readable zip: .*\); give a folder or a zip of things"):
        list_containers(folder / "cut.zip", EXPECTED)
    (folder / "art.tar.gz").write_bytes(b"")
    with pytest.raises(InputError, match=r"art.tar.gz is a .tar.gz archive, which is not read; unpack it"):
        list_containers(folder / "art.tar.gz", EXPECTED)
    os.mkfifo(folder / "pipe.zip")
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        list_containers(folder / "pipe.zip", EXPECTED)
    with pytest.raises(InputError, match="a zip without files"):
        list_containers(write_zip(folder / "bare.zip", {}), EXPECTED)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b.HEIC", ".heic is not read; convert it to PNG"),
        ("b.tar.gz", ".tar.gz archives are not read; unpack it first"),
        ("b.rar", ".rar archives are not read; unpack it first"),
        ("b.blend", ".blend is not read"),
        ("README", "a file without an ending is not read"),
    ],
)
def test_what_nobody_reads(name: str, reason: str) -> None:
    container = Container(Path(), "in.zip", ("a.png", name), True)
    record = FileRecord(f"in.zip/{name}", reason=reason, category=NOT_READ)
    assert unread_records([container], {"in.zip/a.png"}) == [record]


NAMES = st.sampled_from(
    ["a.png", "b.JPG", ".x", "._a.png", "__MACOSX", "previews", "deep", ".git", "a.txt", "Thumbs.db", "no ending", "é"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=12), st.booleans())
def test_every_file_is_listed_once_or_left_out(paths: list[list[str]], packed: bool) -> None:
    with tempfile.TemporaryDirectory() as root:
        written = write_tree(Path(root) / "data", paths)
        files = dict.fromkeys(written, b"")
        given = write_zip(Path(root) / "data.zip", files) if packed and files else Path(root) / "data"
        containers, records = list_containers(given, EXPECTED, frozenset({"previews"}))
    listed = [container.full_name(name) for container in containers for name in container.names]
    assert sorted([*listed, *(record.file for record in records)]) == sorted(written)
    assert all(record.category and record.reason and not record.use for record in records)


def write_tree(root: Path, paths: list[list[str]]) -> set[str]:
    """Empty files at paths, as far as no file stands where a folder should; their names."""
    root.mkdir()
    for path in paths:
        file = root.joinpath(*path)
        if not file.exists() and not any((root / parent).is_file() for parent in file.relative_to(root).parents):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
