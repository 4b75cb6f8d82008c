"""Add catalogs to blender_assets.cats.txt, the list of an asset library's catalogs, without changing existing lines.

Format (Blender's manual, "Asset Catalogs"): lines `UUID:catalog/path:simple name`, one line `VERSION 1`, comments with
`#`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from ganassets.api.files import read_bytes
from ganassets.api.writer import write_atomic

from .errors import LibraryError

FILE = "blender_assets.cats.txt"
MAX_BYTES = 2**24
HEADER = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n"
# Namespace of the identifiers of our catalogs.
NAMESPACE = uuid.UUID("4f0c2f0a-9d0e-5a51-8d8e-6a0b7a2c4c11")


def make_identifier(path: str) -> str:
    """UUID of a catalog of ours; the same path gives the same UUID."""
    return str(uuid.uuid5(NAMESPACE, path))


def read_list(library: Path) -> str:
    """Read the list of a library's catalogs; "" if there is none.

    Raises:
        InputError: the file can't be read, or has another version.
    """
    path = library / FILE
    try:
        if not path.exists():
            return ""
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path} can't be read as a list of catalogs. Move the file away.") from error
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("VERSION") and line.split()[1:] != ["1"]:
            raise LibraryError(f"{path} has an unsupported version ({line[:40]}, not 1). Choose another folder.")
    return text


def parse_list(text: str) -> dict[str, str]:
    """Parse identifiers by catalog path; the first one counts if a path occurs twice."""
    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        parts = line.split(":", 2)
        if len(parts) < 2 or line.startswith("#"):
            continue
        try:
            found.setdefault(parts[1].strip(), str(uuid.UUID(parts[0].strip())))
        except ValueError:
            continue
    return found


def add_catalogs(library: Path, paths: Iterable[str]) -> dict[str, str]:
    """Add catalogs to a library's list if they are not in it.

    A catalog that the user has moved or renamed keeps its place, because it is recognised by its identifier. If the
    user has a catalog with the same path, that one is used.

    Args:
        library: folder of the library, locked by the caller.
        paths: catalog paths such as "GAN Assets/Materials/Brick".

    Returns:
        Identifiers by path.

    Raises:
        InputError: the list can't be read or written.
    """
    text = read_list(library)
    there = parse_list(text)
    taken = set(there.values())
    identifiers = {path: there.get(path, make_identifier(path)) for path in paths}
    lines = [
        f"{own}:{path}:{path.replace('/', '-')}\n"
        for path, own in identifiers.items()
        if path not in there and own not in taken
    ]
    if lines:
        before = text or HEADER
        write_atomic(library / FILE, (before + ("" if before.endswith("\n") else "\n") + "".join(lines)).encode())
    return identifiers
