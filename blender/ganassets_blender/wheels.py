"""Wheels that the extension brings along: those of others as pip fetches them, and ganassets' own."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from ganassets.errors import InputError

PYTHON = "3.11"  # Blender's from 4.1 to 5.0, and what Debian builds 3.4 with

# Blender's names of platforms, and the tags of wheels that its oldest supported systems take: glibc 2.28, macOS 11.
PLATFORMS = {
    "linux-x64": (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x64": ("macosx_11_0_x86_64",),
}
WITH_THEIR_OWN = ("click>=8.1,<9", "pillow>=10.3,<14", "pydantic>=2.7,<3", "rich>=13.7,<16")
# Without what they ask for: numpy is Blender's, and running models needs nothing else of it. colorama is what click
# asks for on Windows, which pip notices there alone.
ALONE = ("onnxruntime>=1.19.2,<2",)
ALONE_ON = {"windows-x64": ("colorama>=0.4,<1",), "windows-arm64": ("colorama>=0.4,<1",)}

TAG = "py3-none-any"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell
FILE = 0o100644 << 16


def fetch_wheels(platform: str, folder: Path, source: Path | None = None) -> list[Path]:
    """Put the wheels of others for one platform into a folder.

    Args:
        platform: one of PLATFORMS.
        folder: where to; nothing else lies there.
        source: a folder to take them from; pip's usual index otherwise.

    Returns:
        their paths, by name.

    Raises:
        InputError: pip is missing or can't get them.
    """
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    fetch += ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", f"--dest={folder}"]
    fetch += [f"--abi={abi}" for abi in (f"cp{PYTHON.replace('.', '')}", "abi3")]
    fetch += [f"--platform={tag}" for tag in PLATFORMS[platform]]
    if source:
        fetch += ["--no-index", f"--find-links={source}"]
    for wanted in (WITH_THEIR_OWN, ("--no-deps", *ALONE, *ALONE_ON.get(platform, ()))):
        done = subprocess.run([*fetch, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"pip can't get the wheels for {platform} ({reason_in(done.stderr)}).")
    return sorted(folder.glob("*.whl"))


def reason_in(said: str) -> str:
    """What pip says is wrong, last of all that it says."""
    lines = [line.strip().rstrip(".") for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it said nothing"])[-1]


def own_distribution() -> metadata.Distribution:
    """What is installed as ganassets, from a wheel or from a checkout; InputError if it isn't."""
    for found in metadata.distributions(name="ganassets"):
        if found.read_text("METADATA"):
            return found
    raise InputError("ganassets is not installed here; install it with pip.")


def own_version() -> str:
    """Version of ganassets, without what a build adds to it."""
    return own_distribution().version.partition("+")[0]


def make_own_wheel() -> tuple[str, bytes]:
    """File name and bytes of a wheel of ganassets as it is installed here: same files, same bytes.

    A digest of the files is part of its version, because Blender keeps what it has unpacked of a wheel until one with
    another version comes.

    Wheels: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    own, version = own_distribution(), own_version()
    files, info = read_packages(own), read_info(own)
    marked = f"{version}+{hashlib.sha256(record_of(files).encode()).hexdigest()[:8]}"
    stem = f"ganassets-{marked}"
    info["METADATA"] = re.sub(rb"(?m)^Version: .*$", f"Version: {marked}".encode(), info["METADATA"], count=1)
    info["WHEEL"] = f"Wheel-Version: 1.0\nGenerator: ganassets {version}\nRoot-Is-Purelib: true\nTag: {TAG}\n".encode()
    files |= {f"{stem}.dist-info/{name}": content for name, content in info.items()}
    files[f"{stem}.dist-info/RECORD"] = f"{record_of(files)}{stem}.dist-info/RECORD,,\n".encode()
    return f"{stem}-{TAG}.whl", pack(files)


def read_packages(own: metadata.Distribution) -> dict[str, bytes]:
    """Files of the packages that a distribution brings."""
    folders = {package: folder_of(package) for package in (own.read_text("top_level.txt") or "").split()}
    return {
        f"{package}/{name}": path.read_bytes()
        for package, folder in folders.items()
        for name, path in files_below(folder).items()
    }


def read_info(own: metadata.Distribution) -> dict[str, bytes]:
    """What a wheel tells of its distribution: metadata, entry points, packages, licences."""
    info = {name: (own.read_text(name) or "").encode() for name in ("METADATA", "entry_points.txt", "top_level.txt")}
    licences = [path for path in own.files or [] if path.parts[1:2] == ("licenses",)]
    return info | {"/".join(path.parts[1:]): path.read_binary() for path in licences}


def folder_of(package: str) -> Path:
    """Where a package lies."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{package} is not installed whole; install ganassets again.")
    return Path(spec.submodule_search_locations[0])


def files_below(folder: Path) -> dict[str, Path]:
    """Files of a folder and those in it by their names relative to it, without what Python and editors leave there."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: path
        for name, path in found.items()
        if not any(part == "__pycache__" or part.startswith(".") for part in name.split("/"))
    }


def record_of(files: Mapping[str, bytes]) -> str:
    """Lines of a wheel's RECORD: name, digest, size."""
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(content).digest()) for name, content in files.items()}
    return "".join(f"{name},sha256={digests[name].decode().rstrip('=')},{len(files[name])}\n" for name in sorted(files))


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by name: same files, same bytes. Wheels in it are stored as they are, being zips themselves."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = FILE
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            file.writestr(entry, content, compresslevel=9)
    return buffer.getvalue()
