"""Untrusted paths: devices and pipes are an error at once, without filling the memory."""

from __future__ import annotations

import ast
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganassets.api.data.sources import list_containers, open_file
from ganassets.api.errors import InputError
from ganassets.api.files import open_regular, read_bytes, read_limited, read_text, read_up_to
from ganassets.inference.batch.index import INDEX, Index
from ganassets.inference.batch.index import INDEX as INDEX_NAME
from ganassets.inference.directions import directions_file, read_directions
from ganassets.inference.jobs import read_jobs
from ganassets.inference.model import inspect_model
from ganassets.inference.provenance import origin_of, recipe_in
from ganassets.training.report.files import read_facts
from ganassets_blender.armatures import read_armature
from ganassets_blender.catalogs import FILE, read_list
from ganassets_poses.dataset import read_bone_map

ROOT = Path(__file__).parents[2]
SECONDS = 60
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

READERS: dict[str, Callable[[Path], object]] = {
    "model.onnx": inspect_model,
    "look.recipe.json": recipe_in,
    "made.png": origin_of,
    "made.webp": origin_of,
    "jobs.toml": read_jobs,
    "a.zip": lambda path: list_containers(path, "a zip"),
    "picture.png": open_file,
    "bones.json": lambda path: read_bone_map(str(path)),
    "armature.json": read_armature,
    FILE: lambda path: read_list(path.parent),
    INDEX: lambda path: Index(path.parent),
}


@pytest.fixture
def in_time() -> Iterator[None]:
    """Fail a test that waits for ever."""

    def fail(number: int, frame: object) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.parent / "pipe")
    path.symlink_to(path.parent / "pipe")


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ENDLESS = pytest.mark.parametrize("put", [pipe, link_to_a_pipe, link_to_a_device])


def test_files_are_read_up_to_their_bound(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("grün".encode())
    with open_regular(path) as file:
        assert file.read() == "grün".encode()
    assert read_text(path, 5) == "grün"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_bytes(path, 4)
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


def test_a_named_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"12345")
    assert read_limited(path, 5, "a recipe") == b"12345"
    with pytest.raises(InputError, match=r"a\.json is too large for a recipe\.$"):
        read_limited(path, 4, "a recipe")
    with pytest.raises(InputError, match=r"none is not there; give the path of a recipe\.$"):
        read_limited(tmp_path / "none", 4, "a recipe")


@posix
@ENDLESS
@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_devices_and_pipes(name, put, tmp_path, in_time):
    put(tmp_path / name)
    with pytest.raises(InputError):
        READERS[name](tmp_path / name)


@posix
@ENDLESS
def test_sliders_beside_a_model_may_be_no_pipe(put, make_model, in_time):
    model = inspect_model(make_model())
    put(directions_file(model.path))
    with pytest.raises(InputError):
        read_directions(model)


@posix
@ENDLESS
def test_an_index_above_a_file_may_be_no_pipe(put, tmp_path, in_time):
    put(tmp_path / INDEX_NAME)
    (tmp_path / "a.stl").write_bytes(b"solid")
    with pytest.raises(InputError, match="carries no recipe"):
        origin_of(tmp_path / "a.stl")


@posix
@ENDLESS
def test_a_report_leaves_out_everything_but_files(put, tmp_path, in_time):
    for k, name in enumerate(("config.toml", "data.json", "log.jsonl", "snapshots/0000000001.png")):
        folder = tmp_path / str(k)
        (folder / name).parent.mkdir(parents=True)
        put(folder / name)
        assert read_facts(folder).settings == {}


@posix
@ENDLESS
def test_a_run_does_not_resume_from_a_pipe(put, tmp_path, in_time):
    pytest.importorskip("torch")
    from ganassets.training.checkpoint import load_fit, read_checkpoint
    from ganassets.training.data_card import read_card
    from ganassets.training.settings import read_settings

    readers = {"1.safetensors": read_checkpoint, "linear.safetensors": load_fit, "config.toml": read_settings}
    for name, reader in readers.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        put(folder / name)
        with pytest.raises(InputError):
            reader(folder / name)
    folder = tmp_path / "card"
    folder.mkdir()
    put(folder / "data.json")
    with pytest.raises(Exception, match=r"data\.json is missing or damaged"):
        read_card(folder)


@posix
def test_pipes_that_are_handed_over_are_read(tmp_path):
    code = "from ganassets.api.files import read_text; print(read_text('/dev/stdin', 10))"
    done = subprocess.run([sys.executable, "-c", code], input="given", capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout == "given\n", done.stderr


# Files of the package itself, of a folder that was just made, or of the system.
OWN = {
    "ganassets/api/files.py", "ganassets/api/registry.py", "ganassets/api/writer.py", "ganassets/cli/models.py",
    "ganassets/inference/batch/engine.py", "ganassets/inference/batch/journal.py",
    "ganassets/training/lock.py", "ganassets/training/run_log.py",
    "plugins/ganassets_faces/basis.py", "plugins/ganassets_textures/exemplars/decoder.py",
    "exporters/ganassets_fbx/worker.py", "exporters/ganassets_fbx/blender.py",
    "exporters/ganassets_usd/files.py", "exporters/ganassets_images/ktx2.py", "blender/ganassets_blender/build.py",
    "blender/ganassets_blender/library.py", "blender/ganassets_blender/lock.py", "blender/ganassets_blender/wheels.py",
}  # fmt: skip


FUNCTIONS = ("open", "ZipFile", "safe_open", "load_file")
METHODS = (".read_text", ".read_bytes", ".open", ".ZipFile", "onnx.load", "np.load")
STREAMS = {"file", "stream", "buffer", "package"}  # names of arguments that are open already


def reads(source: str) -> Iterator[str]:
    """Calls that open a file by its path."""
    tree = ast.parse(source)
    checked = {call for node in ast.walk(tree) if isinstance(node, ast.With) for call in checked_before(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node in checked or is_stream(node):
            continue
        name = ast.unparse(node.func)
        if name in FUNCTIONS or name.endswith(METHODS):
            yield f"line {node.lineno}: {name}"


def is_stream(call: ast.Call) -> bool:
    """Return whether a call reads a stream: a member of an open archive, or what its first argument is."""
    first = ast.unparse(call.args[0]) if call.args else ""
    return ast.unparse(call.func) == "archive.open" or first in STREAMS or first.startswith("io.BytesIO(")


def checked_before(node: ast.With) -> Iterator[ast.Call]:
    """Calls of a `with` that comes to a path after open_regular has."""
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    checked = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "open_regular"}
    return (call for call in calls if call.args and ast.unparse(call.args[0]) in checked)


@pytest.mark.parametrize(
    "code",
    [
        "open(path)",
        "os.open(path, flags)",
        "path.open('rb')",
        "(folder / 'a').open()",
        "path.read_text()",
        "Image.open(path)",
        "zipfile.ZipFile(folder / 'a.zip')",
        "np.load(path)",
        "onnx.load(path)",
        "with safe_open(path, 'np') as file: pass",
        "with open_regular(other), safe_open(path, 'np') as file: pass",
    ],
)
def test_calls_that_open_a_path_are_found(code):
    assert len(list(reads(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "open_regular(path)",
        "read_text(path, MOST)",
        "Image.open(stream, formats=FORMATS)",
        "np.load(io.BytesIO(raw))",
        "archive.open(info)",
        "with open_regular(path), safe_open(path, 'np') as file: pass",
    ],
)
def test_calls_that_read_a_stream_are_not(code):
    assert list(reads(code)) == []


def test_nobody_else_opens_files():
    for room in ("ganassets", "plugins", "exporters", "blender/ganassets_blender"):
        for path in (ROOT / room).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name not in OWN and "/addon/" not in name and "/painter/" not in name:
                found = list(reads(path.read_text(encoding="utf-8")))
                assert found == [], f"{name}: open files with ganassets.api.files"


def test_memory_is_allocated_only_for_existing_bytes(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"x" * 1000)
    asked: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    assert read_up_to(Watched(path.read_bytes()), 2**40) == path.read_bytes()
    assert 0 < max(asked) <= 2**20
    assert read_up_to(io.BytesIO(b"x" * 5000), 3) == b"xxx"
