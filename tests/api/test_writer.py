"""Files come whole or not at all, and never outside their folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.writer import check_names, stems_of, write_atomic, write_files


def content(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, hidden names too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_written_into_a_new_folder(tmp_path):
    folder = tmp_path / "a" / "b"
    paths = write_files(folder, {"x.glb": b"1", "y.glb": b""})
    assert paths == [folder / "x.glb", folder / "y.glb"]
    assert content(folder) == {"x.glb": b"1", "y.glb": b""}


def test_a_file_that_is_there_stays_unless_overwrite(tmp_path):
    write_files(tmp_path, {"x": b"old"})
    with pytest.raises(InputError, match="is there already; choose another folder or use --overwrite"):
        write_files(tmp_path, {"a": b"new", "x": b"new"})
    assert content(tmp_path) == {"x": b"old"}
    write_files(tmp_path, {"a": b"new", "x": b"new"}, overwrite=True)
    assert content(tmp_path) == {"a": b"new", "x": b"new"}


def test_a_folder_or_a_dangling_link_with_the_name(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        write_files(tmp_path, {"folder": b""}, overwrite=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is there already"):
        write_files(tmp_path, {"link": b""})
    write_files(tmp_path, {"link": b"file"}, overwrite=True)
    assert not (tmp_path / "link").is_symlink()
    assert not (tmp_path / "nowhere").exists()


UNSAFE = [
    "", ".", "..", "../x", "a/b", "a\\b", "/etc/x", "C:x", "con", "CON.glb", "nul.tar.gz", "com1", "aux .txt", "x.",
    "x ", ".hidden", "a\0b", "a\nb", "what?", "a*b", "x" * 256, "é" * 128, "a\ud800", "a\udcff.x",
]  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names(tmp_path, name):
    folder = tmp_path / "out"
    with pytest.raises(InputError, match="can't be the name of a file"):
        write_files(folder, {"good": b"", name: b""})
    assert not folder.exists()


@given(st.text(max_size=12))
def test_accepted_names_stay_in_their_folder(name):
    try:
        check_names([name])
    except InputError:
        return
    base = Path("/base")
    assert Path(os.path.normpath(base / name)).parent == base
    assert not set(name) & set('/\\:*?"<>|')


def test_names_that_are_equal_on_some_systems(tmp_path):
    with pytest.raises(InputError, match="two files would have the name"):
        write_files(tmp_path, {"Head.glb": b"", "head.GLB": b""})


def test_write_atomic_replaces(tmp_path):
    path = tmp_path / "deep" / "x.json"
    write_atomic(path, b"1")
    assert write_atomic(path, b"22") == path
    assert content(path.parent) == {"x.json": b"22"}


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    for call in (
        lambda: write_files(tmp_path / "out", {"x": b""}),
        lambda: write_files(tmp_path / "out" / "deeper", {"x": b""}),
    ):
        with pytest.raises(InputError, match="a file has that name; choose another folder"):
            call()
    assert (tmp_path / "out").read_text() == "mine"


@pytest.fixture
def mount(tmp_path):
    """Return a function that mounts a small file system with options; needs root."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    mounted = []

    def make(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip("this user may not mount a file system")
        mounted.append(folder)
        return folder

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(mount):
    folder = mount("size=256k")
    write_files(folder, {"first": b"x" * 1000})
    files = {"small": b"s", "large": b"x" * 1_000_000}
    with pytest.raises(InputError, match="there is no space left on the device; free some"):
        write_files(folder, files)
    assert content(folder) == {"first": b"x" * 1000}
    with pytest.raises(InputError, match="no space left"):
        write_atomic(folder / "first", b"y" * 1_000_000)
    assert content(folder) == {"first": b"x" * 1000}


def test_a_read_only_folder(mount):
    folder = mount("ro,size=64k")
    with pytest.raises(InputError, match="it is read-only; choose another folder"):
        write_files(folder / "new", {"x": b""})
    with pytest.raises(InputError, match="it is read-only"):
        write_files(folder, {"x": b""})


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="you may not write there"):
        write_files(tmp_path / "new", {"x": b""})
    tmp_path.chmod(0o700)


def test_a_file_larger_than_allowed(tmp_path):
    resource = pytest.importorskip("resource")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, old[1]))
    try:
        with pytest.raises(InputError, match="larger than allowed there"):
            write_files(tmp_path, {"a": b"fits", "b": b"x" * 10_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert content(tmp_path) == {}


KILLED = """
import sys, pathlib
from ganassets.api.writer import write_files
folder = pathlib.Path(sys.argv[1])
print("go", flush=True)
for n in range(10**9):
    write_files(folder, {f"x{i}": bytes([n % 256]) * 300_000 for i in range(4)}, overwrite=True)
"""


def test_a_kill_in_the_middle_leaves_whole_files(tmp_path):
    for pause in (0.02, 0.05, 0.09):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    files = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert files
    for path in files:
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1


@pytest.mark.parametrize(
    "name", ["rock-7.glb", "rock-7_normal.png", "T_rock-7_BC.png", "rock-7-skin-albedo.png", "rock-7", "rock-7.tar.gz"]
)
def test_files_of_an_asset_are_known_by_its_name(name: str):
    assert "rock-7" in stems_of(name)


@pytest.mark.parametrize("name", ["rock-70.glb", "rock-7-00000012-003.png", "T_rock-71_BC.png", "brock-7.png"])
def test_files_of_other_assets_are_left_alone(name: str):
    assert "rock-7" not in stems_of(name)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_folders_that_no_system_takes(tmp_path, name):
    with pytest.raises(InputError):
        write_files(tmp_path / name, {"a.txt": b"x"})
