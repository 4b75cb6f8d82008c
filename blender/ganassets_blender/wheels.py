"""Wheels in the extension: those of other packages, which pip downloads, and that of ganassets itself."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import re
import tempfile
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from ganassets.api.errors import InputError

from .lock import pip_target, read_lock, run_pip

TAG = "py3-none-any"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip file
FILE_MODE = 0o100644 << 16  # a regular file, in a zip's external attributes


def fetch_wheels(platform: str, folder: Path, source: Path | None = None) -> list[Path]:
    """Download the locked wheels of other packages for one platform, for all its Python versions.

    Args:
        platform: one of PLATFORMS.
        folder: an empty folder for the wheels.
        source: folder to take the wheels from; None for pip's index.

    Returns:
        Paths of the wheels, sorted by name.

    Raises:
        InputError: pip is missing, can't download the wheels, or finds files that differ from the locked ones.
    """
    with tempfile.TemporaryDirectory(prefix="ganassets-lock-") as name:
        for python, digests in read_lock()[platform].items():
            requirements = Path(name, f"{python}.txt")
            requirements.write_text("".join(map(format_requirement, digests, digests.values())), encoding="utf-8")
            command = ["download", "--no-deps", "--require-hashes", f"--requirement={requirements}", f"--dest={folder}"]
            run_pip(platform, [*command, *pip_target(platform, python, source)])
    return sorted(folder.glob("*.whl"))


def format_requirement(wheel: str, digest: str) -> str:
    """Line of a requirements file that accepts only one wheel."""
    name, version = wheel.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{digest}\n"


def own_distribution() -> metadata.Distribution:
    """The installed distribution of ganassets, from a wheel or a checkout; InputError if there is none."""
    for found in metadata.distributions(name="ganassets"):
        if found.read_text("METADATA"):
            return found
    raise InputError("ganassets is not installed here. Install it with pip.")


def own_version() -> str:
    """Version of ganassets, without a local version label."""
    return own_distribution().version.partition("+")[0]


def make_own_wheel() -> tuple[str, bytes]:
    """Make a wheel of ganassets as it is installed here; the same files give the same bytes.

    A digest of the files is part of the version, because Blender replaces the packages of an installed wheel only when
    a wheel with another version is installed.

    Returns:
        File name and content.

    Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    own, version = own_distribution(), own_version()
    files, info = read_packages(own), read_info(own)
    full_version = f"{version}+{hashlib.sha256(record_of(files).encode()).hexdigest()[:8]}"
    stem = f"ganassets-{full_version}"
    info["METADATA"] = re.sub(rb"(?m)^Version: .*$", f"Version: {full_version}".encode(), info["METADATA"], count=1)
    info["WHEEL"] = f"Wheel-Version: 1.0\nGenerator: ganassets {version}\nRoot-Is-Purelib: true\nTag: {TAG}\n".encode()
    files |= {f"{stem}.dist-info/{name}": content for name, content in info.items()}
    files[f"{stem}.dist-info/RECORD"] = f"{record_of(files)}{stem}.dist-info/RECORD,,\n".encode()
    return f"{stem}-{TAG}.whl", pack(files)


def read_packages(own: metadata.Distribution) -> dict[str, bytes]:
    """Read all files of a distribution's packages, by name in the wheel."""
    folders = {package: find_package(package) for package in (own.read_text("top_level.txt") or "").split()}
    return {
        f"{package}/{name}": path.read_bytes()
        for package, folder in folders.items()
        for name, path in files_below(folder).items()
    }


def read_info(own: metadata.Distribution) -> dict[str, bytes]:
    """Read a distribution's metadata: METADATA, entry points, top-level packages and licences."""
    info = {name: (own.read_text(name) or "").encode() for name in ("METADATA", "entry_points.txt", "top_level.txt")}
    licences = [path for path in own.files or [] if path.parts[1:2] == ("licenses",)]
    return info | {"/".join(path.parts[1:]): path.read_binary() for path in licences}


def find_package(package: str) -> Path:
    """Folder of a package; InputError if it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"the package {package} is missing. Install ganassets again.")
    return Path(spec.submodule_search_locations[0])


def files_below(folder: Path) -> dict[str, Path]:
    """Files in a folder and its subfolders by relative name, without caches and hidden files."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: path
        for name, path in found.items()
        if not any(part == "__pycache__" or part.startswith(".") for part in name.split("/"))
    }


def record_of(files: Mapping[str, bytes]) -> str:
    """Lines of a wheel's RECORD: name, digest and size of each file."""
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(content).digest()) for name, content in files.items()}
    return "".join(f"{name},sha256={digests[name].decode().rstrip('=')},{len(files[name])}\n" for name in sorted(files))


def pack(files: Mapping[str, bytes]) -> bytes:
    """Make a zip of files by name; the same files give the same bytes. Wheels are not compressed again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = FILE_MODE
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            file.writestr(entry, content, compresslevel=9)
    return buffer.getvalue()
