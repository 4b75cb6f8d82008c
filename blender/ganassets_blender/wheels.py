"""Wheels that the extension brings along: those of others as pip fetches them, and ganassets' own."""

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
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell
FILE = 0o100644 << 16


def fetch_wheels(platform: str, folder: Path, source: Path | None = None) -> list[Path]:
    """Put the wheels of others for one platform into a folder: those of the lock file, for all its Python versions.

    Args:
        platform: one of PLATFORMS.
        folder: where to; nothing else lies there.
        source: a folder to take them from; pip's usual index otherwise.

    Returns:
        their paths, by name.

    Raises:
        InputError: pip is missing, can't get them, or gets other files than the locked ones.
    """
    with tempfile.TemporaryDirectory(prefix="ganassets-lock-") as name:
        for python, digests in read_lock()[platform].items():
            requirements = Path(name, f"{python}.txt")
            requirements.write_text("".join(map(requirement, digests, digests.values())), encoding="utf-8")
            command = ["download", "--no-deps", "--require-hashes", f"--requirement={requirements}", f"--dest={folder}"]
            run_pip(platform, [*command, *pip_target(platform, python, source)])
    return sorted(folder.glob("*.whl"))


def requirement(wheel: str, digest: str) -> str:
    """A line of a requirements file that takes one wheel alone."""
    name, version = wheel.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{digest}\n"


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
