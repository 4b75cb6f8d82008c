"""Install other versions of onnxruntime, and find an emulator of an older processor."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import pytest

from support.consumers import CACHE, SETUP, install, skip_or_fail

VERSIONS = ("1.19.2", "1.23.2", "1.32.0")  # the extension for macOS includes the first two


@pytest.fixture(scope="session", params=VERSIONS)
def other_runtime(request: pytest.FixtureRequest) -> Path:
    """Folder with the CPU build of another version of onnxruntime, and nothing else."""
    if request.param == "1.19.2" and sys.version_info >= (3, 13):
        pytest.skip("this version has no wheel for this Python")
    folder = CACHE / f"onnxruntime-{request.param}"
    if not (folder / "ready").exists():
        options = ("--no-deps", "--upgrade", "--target", folder, f"onnxruntime=={request.param}")
        install(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options)
        (folder / "ready").touch()
    return folder


@pytest.fixture(scope="session")
def older_processor() -> tuple[str, ...]:
    """Start of a command that runs on an emulated processor of 2008, without AVX and FMA."""
    if platform.machine() != "x86_64":
        pytest.skip("the emulated processor runs programs for x86-64 only")
    program = shutil.which("qemu-x86_64") or skip_or_fail(f"qemu-x86_64 is not installed: {SETUP}")
    return (program, "-cpu", "Nehalem")
