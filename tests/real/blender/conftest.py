"""Find or install Blenders: the program of the system, and Blender's Python module in a cache folder."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.consumers import CACHE, SETUP, install, read_report, run_command, skip_or_fail

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
# Blender's Python module and numpy: the version that Blender includes, where the module does not require one.
BLENDERS = {
    "4.2": ("bpy==4.2.23", "numpy==1.24.3"),
    "4.5.15": ("bpy==4.5.15", "numpy==1.26.4"),
    "5.0": ("bpy==5.0.1", "numpy==1.26.4"),
    "5.2": ("bpy==5.2.3", "numpy==2.5.5"),
    "5.3": ("bpy==5.3.0", "numpy==2.5.5"),
}
PYTHONS = {"4.2": "3.11", "4.5.15": "3.11", "5.0": "3.11", "5.2": "3.13", "5.3": "3.13"}
COMPILED_PYTHON = "3.13"  # compiled by python313.sh if it is not installed
IMPORTING_BLENDER = "4.5.15"
NEWEST = "5.3"
DEBIANS = "3.4"
# Blenders for tests that do not depend on Blender's version: one for each Python.
THOROUGH = (DEBIANS, NEWEST)
SCREEN = (1600, 1000)
NETWORK_NAMESPACE = ("unshare", "--map-root-user", "--net")
MOUNT_NAMESPACE = ("unshare", "--map-root-user", "--mount")


@functools.cache
def compile_python(folder: Path) -> str:
    """Compile Python 3.13 into a folder; returns the reason if that fails, or ""."""
    done = run_command("sh", HERE / "python313.sh", folder, seconds=1800)
    return done.stderr[-400:] or "it printed nothing" if done.returncode else ""


def base_python(version: str) -> Path:
    """A Python of a version such as "3.13" that can create environments."""
    own = Path(sys.executable) if "{}.{}".format(*sys.version_info) == version else None
    installed = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob(f"versions/{version}.*/bin/python")
    compiled = CACHE / f"python-{version}" / "bin" / f"python{version}"
    candidates = [own, Path(installed) if installed else None, *sorted(pyenv), compiled]
    for path in candidates:
        if path and path.exists() and not run_command(path, "-c", "import ensurepip, ssl, venv").returncode:
            return path
    if version != COMPILED_PYTHON:
        skip_or_fail(f"Blender's Python module needs Python {version}")
    if reason := compile_python(compiled.parents[1]):
        pytest.skip(f"Blender's Python module needs Python {version}, and python313.sh can't compile it: {reason}")
    return compiled


def python_with_bpy(version: str) -> Path:
    """A Python that has Blender's module in a version of BLENDERS."""
    home = CACHE / f"bpy-{version}"
    python, ready = home / "bin" / "python", home / "ready"
    packages = "\n".join(BLENDERS[version])
    if not ready.exists() or ready.read_text() != packages:
        install(base_python(PYTHONS[version]), "-m", "venv", "--clear", home)
        install(python, "-m", "pip", "install", "--disable-pip-version-check", *BLENDERS[version])
        ready.write_text(packages)
    probe = run_command(python, "-c", "import bpy")
    if probe.returncode:
        skip_or_fail(f"Blender's Python module doesn't load, {SETUP}: {probe.stderr[-400:]}")
    return python


def start_of(version: str) -> tuple[str, ...]:
    """Command that runs a Python script in a Blender: a version of BLENDERS, or DEBIANS."""
    if version != DEBIANS:
        return (str(python_with_bpy(version)),)
    program = shutil.which("blender") or skip_or_fail(f"blender is not installed: {SETUP}")
    if not run_command(program, "--version").stdout.startswith(f"Blender {DEBIANS}."):
        pytest.skip("this distribution has another Blender")
    return (program, "-b", "--factory-startup", "--python-exit-code", "1", "--python")


@pytest.fixture(scope="session")
def blender_python() -> Path:
    """A Python that has Blender's module."""
    return python_with_bpy(IMPORTING_BLENDER)


@pytest.fixture(scope="session")
def blender(blender_python: Path) -> Callable[..., Any]:
    """Run a script in Blender, import_mesh.py unless another one is named; returns its report."""

    def call(*arguments: str | Path, script: str = "import_mesh.py") -> Any:
        return read_report(run_command(blender_python, SCRIPTS / script, *arguments))

    return call


@pytest.fixture(scope="session", params=[*BLENDERS, DEBIANS])
def each_blender(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Command that runs a Python script in each Blender."""
    return start_of(request.param)


@pytest.fixture(scope="session")
def newest_blender() -> tuple[str, ...]:
    """Command that runs a Python script in the newest Blender."""
    return start_of(NEWEST)


@pytest.fixture(scope="session")
def blender_program() -> str:
    """Path of the Blender program."""
    return start_of(DEBIANS)[0]


@pytest.fixture(scope="session")
def window() -> tuple[str, ...]:
    """Command that runs a Python script in a Blender with a window."""
    display, program = shutil.which("xvfb-run"), shutil.which("blender")
    if not display or not program:
        skip_or_fail(f"blender or a display for it is not installed: {SETUP}")
    return (display, "-a", program, "--factory-startup", "--python-exit-code", "1", "--python")


@pytest.fixture(scope="session")
def in_blender() -> Callable[..., Any]:
    """Run a script in the Blender of a command; returns its report."""

    def call(start: tuple[str, ...], script: str, *arguments: str | Path) -> Any:
        return read_report(run_command(*start, SCRIPTS / script, "--", *arguments))

    return call


@dataclass(frozen=True)
class ExtendedBlender:
    """A Blender with the extension installed.

    Attributes:
        version: a key of BLENDERS, or DEBIANS.
        start: command that runs a Python script in it.
        variables: environment variables for a user folder of its own.
        facts: report of install_extension.py.
    """

    version: str
    start: tuple[str, ...]
    variables: dict[str, str]
    facts: dict[str, Any]

    def __call__(self, script: str, *arguments: str | Path, before: tuple[str, ...] = ()) -> Any:
        """Run a script in Blender; returns its report. The script enables the add-on (`install_extension.enable`).

        Args:
            script: name of the script.
            *arguments: of the script.
            before: start of the command.
        """
        command = [*before, *self.start, SCRIPTS / script, "--", *arguments]
        return read_report(run_command(*command, variables=self.variables))

    def python(self, *words: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run Blender's Python in a process of its own, with the packages of the extension's wheels."""
        path = os.pathsep.join([self.facts["packages"], self.facts["numpy"]])
        return run_command(*before, self.facts["python"], *words, variables={"PYTHONPATH": path})


def extend(version: str, extension: Path, user: Path) -> ExtendedBlender:
    """Install the extension in a Blender with a new user folder."""
    start = start_of(version)
    if version == DEBIANS:
        for name in ("config", "scripts", "datafiles"):
            (user / name).mkdir()
        variables = {f"BLENDER_USER_{path.name.upper()}": str(path) for path in user.iterdir()}
    else:
        variables = {"BLENDER_USER_RESOURCES": str(user)}
    done = run_command(*start, SCRIPTS / "install_extension.py", "--", extension, user, variables=variables)
    return ExtendedBlender(version, start, variables, read_report(done))


@pytest.fixture(scope="session")
def build() -> Callable[[Path], Path]:
    """Build the extension's zip for this machine in a folder."""
    from ganassets.api.errors import InputError
    from ganassets_blender.build import build_extension, this_platform
    from ganassets_blender.lock import LOCK
    from ganassets_blender.wheels import fetch_wheels

    platform = this_platform()
    locked = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    wheels = CACHE / "wheels" / f"{platform}-{locked}"
    if not wheels.exists():
        wheels.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=wheels.parent) as name:
            try:
                fetch_wheels(platform, Path(name))
            except InputError as error:
                skip_or_fail(str(error))
            shutil.copytree(name, wheels)
    return lambda folder: build_extension(platform, folder, wheels)


@pytest.fixture(scope="session")
def extension(build: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip for this machine."""
    return build(tmp_path_factory.mktemp("extension"))


@pytest.fixture(scope="session")
def extend_once(extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ExtendedBlender]:
    """Install the extension in a Blender of a version at its first use."""
    return functools.cache(lambda version: extend(version, extension, tmp_path_factory.mktemp(f"blender-{version}")))


@pytest.fixture(scope="session", params=[*BLENDERS, DEBIANS])
def extended(request: pytest.FixtureRequest, extend_once: Callable[[str], ExtendedBlender]) -> ExtendedBlender:
    """Each Blender with the extension installed."""
    return extend_once(request.param)


@pytest.fixture(scope="session", params=THOROUGH)
def extended_thorough(request: pytest.FixtureRequest, extend_once: Callable[[str], ExtendedBlender]) -> ExtendedBlender:
    """The Blenders of THOROUGH with the extension installed."""
    return extend_once(request.param)


@pytest.fixture(scope="session")
def extended_program(extension: Path, tmp_path_factory: pytest.TempPathFactory) -> ExtendedBlender:
    """The Blender program, which can have a window, with the extension installed."""
    return extend(DEBIANS, extension, tmp_path_factory.mktemp("blender-window"))


@pytest.fixture(scope="session", params=BLENDERS)
def validate(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Output of each Blender's validator for an extension's zip."""
    python = python_with_bpy(request.param)
    (scripts,) = python.parents[1].glob("lib/python*/site-packages/bpy/*/scripts")
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    tags = scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py"

    def call(path: Path) -> str:
        done = run_command(python, tool, "validate", f"--valid-tags={tags}", path)
        return done.stdout + done.stderr

    return call


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X display of the size SCREEN."""
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            skip_or_fail(f"{program} is not installed: {SETUP}")
    read, write = os.pipe()
    size = "{}x{}x24".format(*SCREEN)
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    with os.fdopen(read) as number, subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        yield f":{number.readline().strip()}"
        server.terminate()


@pytest.fixture(scope="session")
def offline() -> tuple[str, ...]:
    """Start of a command that runs without a network."""
    if not shutil.which(NETWORK_NAMESPACE[0]) or run_command(*NETWORK_NAMESPACE, "true").returncode:
        skip_or_fail("unshare may not create a network namespace here")
    return NETWORK_NAMESPACE


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[str, ...]:
    """Start of a command that has a disk of 2 MB in the test's folder."""
    words = (*MOUNT_NAMESPACE, "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"', str(tmp_path))
    if not shutil.which(words[0]) or run_command(*words, "true").returncode:
        skip_or_fail("unshare may not mount a disk here")
    return words


@pytest.fixture(scope="session")
def assimp() -> Callable[[Path], dict[str, str]]:
    """Facts about a file by name, from assimp, a library that many programs use to import files."""
    program = shutil.which("assimp") or skip_or_fail(f"assimp is not installed: {SETUP}")

    def info(path: Path) -> dict[str, str]:
        done = run_command(program, "info", path)
        assert done.returncode == 0, done.stdout[-2000:]
        pairs = (line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    return info
