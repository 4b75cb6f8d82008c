"""The index of an output folder: resuming an interrupted batch, and one batch at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets import __version__
from ganassets.api.errors import InputError
from ganassets.inference.batch import journal as module
from ganassets.inference.batch.index import INDEX, Done, Index
from ganassets.inference.batch.journal import lines_of

KEY, DIGEST, RECIPE = "0123456789abcdef", "f" * 64, '{"seed":7,"note":"\\u00fc"}'


def fill(out, names=("a", "b/c"), end=True):
    """A run that makes these assets, an eight-byte file each."""
    with Index(out) as index:
        index.begin()
        for name in names:
            path = out / f"{name}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(8))
            index.enter(name, KEY, {f"{name}.bin": (8, DIGEST)}, RECIPE)
        if end:
            index.end()


def lines(out):
    """Return the content of the file."""
    return [json.loads(line) for line in (out / INDEX).read_text(encoding="utf-8").splitlines()]


def test_a_run_is_a_line_each_for_its_begin_its_assets_and_its_end(tmp_path):
    fill(tmp_path / "new" / "out")
    begin, a, c, end = lines(tmp_path / "new" / "out")
    assert (begin, end) == ({"begin": __version__}, {"end": __version__})
    files = {"a.bin": {"bytes": 8, "sha256": DIGEST}}
    assert a == {"name": "a", "key": KEY, "files": files, "recipe": {"seed": 7, "note": "ü"}}
    assert c["name"] == "b/c"


def test_what_was_entered_is_known_again(tmp_path):
    fill(tmp_path)
    with Index(tmp_path) as index:
        assert index.done == {"a": Done(KEY, {"a.bin": 8}), "b/c": Done(KEY, {"b/c.bin": 8})}
        assert not index.cut_off
        assert all(done.is_there(tmp_path) for done in index.done.values())
        (tmp_path / "a.bin").write_bytes(bytes(7))
        (tmp_path / "b/c.bin").unlink()
        assert not any(done.is_there(tmp_path) for done in index.done.values())


def test_the_last_entry_of_a_name_counts(tmp_path):
    fill(tmp_path)
    with Index(tmp_path) as index:
        index.begin()
        index.enter("a", "f" * 16, {}, RECIPE)
        index.end()
    with Index(tmp_path) as index:
        assert index.done["a"] == Done("f" * 16, {})


def test_looking_writes_nothing(tmp_path):
    fill(tmp_path)
    before = (tmp_path / INDEX).read_bytes()
    with Index(tmp_path):
        pass
    assert (tmp_path / INDEX).read_bytes() == before


def test_an_index_cut_off_anywhere_continues_to_the_same_bytes(tmp_path):
    """Cut after every byte: what was not whole is gone, and the rest is written again."""
    names = ("a", "b/c", "d")
    fill(tmp_path / "whole", names)
    whole = (tmp_path / "whole" / INDEX).read_bytes()
    out = tmp_path / "cut"
    fill(out, names)
    for length in range(len(whole)):
        (out / INDEX).write_bytes(whole[:length])
        with Index(out) as index:
            assert index.cut_off == (length > whole.index(b"\n"))
            assert whole.startswith((out / INDEX).read_bytes())
            assert (out / INDEX).read_bytes()[-1:] in (b"", b"\n"), "no incomplete line remains"
            index.begin()
            for name in names:
                if name not in index.done:
                    index.enter(name, KEY, {f"{name}.bin": (8, DIGEST)}, RECIPE)
            index.end()
        assert (out / INDEX).read_bytes() == whole, length


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nothing",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"name": "a"}',
        b'{"name": "a", "key": "x", "files": {}}',
        b'{"name": "a", "key": "0123456789abcdef", "files": {"a": {"bytes": -1, "sha256": ""}}}',
        b'{"name": 3, "key": "0123456789abcdef", "files": {}}',
        b"[" * 100_000,
    ],
)
def test_damage_in_the_middle_is_reported_and_no_file_is_changed(tmp_path, line):
    fill(tmp_path)
    first, *rest = (tmp_path / INDEX).read_bytes().splitlines(keepends=True)
    damaged = b"".join([first, line + b"\n", *rest])
    (tmp_path / INDEX).write_bytes(damaged)
    with pytest.raises(InputError, match=r"index\.jsonl is damaged in line 2; move it away, or choose another folder"):
        Index(tmp_path)
    assert (tmp_path / INDEX).read_bytes() == damaged
    (tmp_path / INDEX).unlink()
    fill(tmp_path)  # the lock was given back


@pytest.mark.parametrize("content", [b"my own notes", b'{"id": 7}', b'{"id": 7}\n{"id": 8}', b"\0" * 20, b"\n"])
def test_a_file_of_somebody_else_stays(tmp_path, content):
    (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(InputError, match="is damaged in line 1"):
        Index(tmp_path)
    assert (tmp_path / INDEX).read_bytes() == content


def test_lines_of_later_versions_may_have_more(tmp_path):
    fill(tmp_path)
    with (tmp_path / INDEX).open("a") as file:
        file.write(json.dumps({"name": "n", "key": KEY, "files": {}, "more": 1}) + "\n")
    with Index(tmp_path) as index:
        assert "n" in index.done


def test_an_index_without_an_end_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINE", 1000)
    fill(tmp_path)
    with (tmp_path / INDEX).open("ab") as file:
        file.write(b"x" * 5000)
    with pytest.raises(InputError, match=r"is damaged \(a line without an end\)"):
        Index(tmp_path)
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="is too large for an index"):
        Index(tmp_path)


def test_folders_that_can_not_be_one(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="a file has that name"):
        Index(tmp_path / "file")
    (tmp_path / "out" / INDEX).mkdir(parents=True)
    with pytest.raises(InputError, match="can't write in"):
        Index(tmp_path / "out")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "\0", "x" * 5000, ""])
def test_paths_of_a_foreign_index_are_only_looked_at(tmp_path, path):
    assert not Done(KEY, {path: -1}).is_there(tmp_path)


@contextmanager
def another_run(out):
    """A process that has the index, until the context is left; it is killed then."""
    code = f"from pathlib import Path\nfrom ganassets.inference.batch.index import Index\nIndex(Path({str(out)!r}))\n"
    code += "print('has it', flush=True)\nimport time\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "has it\n"
        try:
            yield
        finally:
            process.kill()


def test_one_run_at_a_time(tmp_path):
    with another_run(tmp_path):
        with pytest.raises(InputError, match=r"another run is writing to .*; wait until it has ended"):
            Index(tmp_path)
        fill(tmp_path / "other")
    fill(tmp_path)  # a killed process gives the lock back


def test_one_process_has_an_index_once(tmp_path):
    with Index(tmp_path), pytest.raises(InputError, match="another run is writing"):
        Index(tmp_path)
    fill(tmp_path)


def test_a_disk_that_fills_up_leaves_whole_lines(tmp_path, monkeypatch):
    fill(tmp_path, ("a",), end=False)
    before = (tmp_path / INDEX).read_bytes()
    write = os.write
    with Index(tmp_path) as index:
        monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:10]))
        with pytest.raises(InputError, match="no space left"):
            index.enter("b", KEY, {}, RECIPE)
        assert (tmp_path / INDEX).read_bytes() == before
        monkeypatch.undo()
        index.enter("b", KEY, {}, RECIPE)
    assert [line.get("name") for line in lines(tmp_path)] == [None, "a", "b"]


@given(st.lists(st.binary(max_size=12), max_size=6))
@settings(max_examples=50)
def test_lines_are_cut_as_they_are_written(tmp_path_factory, parts):
    path = tmp_path_factory.mktemp("lines") / INDEX
    path.write_bytes(b"\n".join(parts))
    assert b"".join(lines_of(path)) == path.read_bytes()
    assert all(b"\n" not in line[:-1] for line in lines_of(path))
