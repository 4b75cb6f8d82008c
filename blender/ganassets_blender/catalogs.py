"""blender_assets.cats.txt of an asset library: ours added to what is there, and nothing of that changed.

Blender's manual, "Asset Catalogs": lines `UUID:catalog/path:simple name`, one line `VERSION 1`, `#` for comments.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from ganassets.api.errors import InputError
from ganassets.api.files import read_bytes
from ganassets.api.writer import write_atomic

FILE = "blender_assets.cats.txt"
MAX_BYTES = 2**24
HEADER = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n"
OURS = uuid.UUID("4f0c2f0a-9d0e-5a51-8d8e-6a0b7a2c4c11")  # namespace of the identifiers that we give


def identifier(path: str) -> str:
    """The identifier that a catalog of ours always has."""
    return str(uuid.uuid5(OURS, path))


def read(library: Path) -> str:
    """The file's text, "" where there is none; InputError when it is none of Blender's."""
    path = library / FILE
    try:
        if not path.exists():
            return ""
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read as a list of catalogs; move it away.") from error
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("VERSION") and line.split()[1:] != ["1"]:
            raise InputError(f"{path} is of another version ({line[:40]}) than 1; choose another library folder.")
    return text


def known(text: str) -> dict[str, str]:
    """Identifiers in a file's text by their catalogs' paths; of a path that stands twice the first."""
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


def merge(library: Path, paths: Iterable[str]) -> dict[str, str]:
    """Make sure that catalogs are in a library's list.

    A catalog that was moved or renamed by the user keeps its place, because its identifier is known; one of the user's
    with the same path is taken.

    Args:
        library: the folder, locked by the caller.
        paths: "GAN Assets/Materials/Brick".

    Returns:
        identifiers by path.

    Raises:
        InputError: the list is broken or can't be written.
    """
    text = read(library)
    there = known(text)
    taken = set(there.values())
    identifiers = {path: there.get(path, identifier(path)) for path in paths}
    lines = [
        f"{own}:{path}:{path.replace('/', '-')}\n"
        for path, own in identifiers.items()
        if path not in there and own not in taken
    ]
    if lines:
        before = text or HEADER
        write_atomic(library / FILE, (before + ("" if before.endswith("\n") else "\n") + "".join(lines)).encode())
    return identifiers
