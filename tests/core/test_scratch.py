"""Temporary files: a disk that refuses them ends in a sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from ganassets.errors import GanassetsError
from ganassets.scratch import VARIABLE, scratch_folder
from ganassets_fbx.blender import check_answer
from ganassets_usd.files import disk_error


def test_the_folder_goes_away(tmp_path, monkeypatch):
    with scratch_folder("ganassets-test-") as folder:
        (folder / "a").write_bytes(b"x")
    assert not folder.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_disk_that_refuses_is_told(number):
    with (
        pytest.raises(
            GanassetsError, match=rf"temporary files can't be written in .* name another folder in {VARIABLE}"
        ),
        scratch_folder("ganassets-test-"),
    ):
        raise OSError(number, os.strerror(number))


def test_what_blender_says_of_the_disk():
    check_answer("")
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
def test_limits_of_files_are_told(exporter, tmp_path):
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
