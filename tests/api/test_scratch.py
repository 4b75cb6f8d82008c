"""Temporary files: a disk that refuses them ends in a sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile

import pytest

from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.scratch import VARIABLE, scratch_folder
from ganassets_fbx.blender import check_answer, run_in_blender
from ganassets_fbx.scene import BlenderScene
from ganassets_images.ktx2 import encode_ktx2
from ganassets_usd.files import disk_error


def test_the_folder_goes_away(tmp_path, monkeypatch):
    with scratch_folder("ganassets-test-") as folder:
        (folder / "a").write_bytes(b"x")
    assert not folder.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_refuses_is_reported(number):
    with (
        pytest.raises(
            GanassetsError, match=rf"temporary files can't be written in .* name another folder in {VARIABLE}"
        ),
        scratch_folder("ganassets-test-"),
    ):
        raise OSError(number, os.strerror(number))


def test_a_folder_that_can_not_be_made_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(GanassetsError, match="temporary files can't be written in"), scratch_folder("ganassets-test-"):
        pass


def test_other_errors_are_not_the_disks():
    """A file that a program didn't write, or a program that can't be run."""
    for error in (FileNotFoundError(errno.ENOENT, "none", "scene.fbx"), PermissionError(errno.EACCES, "no", "/bin/x")):
        with pytest.raises(type(error)), scratch_folder("ganassets-test-"):
            raise error
    with pytest.raises(GanassetsError, match=r"\(no\)"), scratch_folder("ganassets-test-") as folder:
        raise PermissionError(errno.EACCES, "no", str(folder / "in.png"))


def test_a_blender_that_writes_nothing_is_reported(monkeypatch):
    monkeypatch.setattr("ganassets_fbx.blender.ask_blender", lambda request: {"error": ""})
    with pytest.raises(GanassetsError, match=r"^Blender reported no error, but wrote no FBX file\.$"):
        run_in_blender(BlenderScene({}, {}))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows programs by their suffix")
def test_a_basisu_that_is_no_program_is_reported(tmp_path, monkeypatch):
    program = tmp_path / "basisu"
    program.write_bytes(b"\x7fELF, but cut off")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"basisu can't be run \(Exec format error\)\. Install Basis Universal again"):
        encode_ktx2(b"", (), {})


def test_what_blender_says_of_the_disk():
    check_answer("")
    with pytest.raises(GanassetsError, match=r"^Blender couldn't write the file: OSError: \[Errno 2\] No such file"):
        check_answer("Error: Python: Traceback\nOSError: [Errno 2] No such file or directory: '/x/scene.npz'\n")
    with pytest.raises(OSError, match="File too large"):
        check_answer(
            "RuntimeError: Error: Python: Traceback\n  File x\nOSError: [Errno 27] File too large: '/x/scene.fbx'\n"
        )
    with pytest.raises(GanassetsError, match=r"^Blender couldn't write the file: ValueError: odd\.$"):
        check_answer("Error: Python: Traceback\n  File x\nValueError: odd.\n")


def test_what_usd_says_of_the_disk():
    found = disk_error(f"Error in 'x::Write' at line 78: '{os.strerror(errno.ENOSPC)}'")
    assert found is not None and found.errno == errno.ENOSPC
    assert disk_error("something else") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("exporter", ["usdz", "fbx"])
def test_limits_of_files_are_reported(exporter, tmp_path):
    pytest.importorskip("pxr")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    code = f"{limit}; from ganassets.cli import main; main()"
    words = [
        "generate",
        "poses",
        "-n",
        "1",
        "--workers",
        "1",
        "--no-preview",
        "--to",
        exporter,
        "-o",
        str(tmp_path / "out"),
    ]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert done.stderr.startswith("Error: temporary files can't be written in ")
    assert done.stderr.endswith("(file too large); make room there, or name another folder in TMPDIR.\n")
    assert done.stderr.count("\n") == 1 and done.returncode == 1
