"""Find the recipe of a file that ganassets made: in the file, beside it, or in the index of its folder."""

from __future__ import annotations

import json
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ..api.errors import InputError
from ..api.files import open_regular, read_up_to
from .batch.index import INDEX
from .batch.journal import lines_of
from .recipe import MAX_BYTES, SUFFIX, Recipe, parse_recipe, recipe_of

KEY = "Recipe"
MAX_HEAD = 64 * 2**20  # bytes to read of a file
MAX_LINES = 200  # lines, chunks or attributes to read of a file
GLB_MAGIC, JSON_CHUNK = b"glTF", 0x4E4F534A
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EXR_MAGIC = b"\x76\x2f\x31\x01"
FROM_INSIDE, FROM_BESIDE, FROM_INDEX = "in the file", "in the file beside it", f"in {INDEX} of its output folder"


@dataclass(frozen=True)
class Origin:
    """The origin of a file.

    Attributes:
        recipe: Recipe of the asset.
        where: Place of the recipe, in words.
    """

    recipe: Recipe
    where: str


def recipe_in(path: Path) -> Recipe:
    """Read the recipe that a file is or carries; InputError where there is none."""
    if path.name.endswith(SUFFIX):
        return parse_recipe(read_head(path, MAX_BYTES + 1), str(path))
    return origin_of(path).recipe


def origin_of(path: Path) -> Origin:
    """Find the origin of a file; InputError where it is unknown."""
    try:
        open_regular(path).close()
    except OSError as error:
        why = (
            "is not there" if isinstance(error, FileNotFoundError) else f"can't be read ({str(error.strerror).lower()})"
        )
        raise InputError(f"{path} {why}; give a seed, a recipe, or a file that ganassets made.") from error
    if path.name.endswith(SUFFIX):
        return Origin(recipe_in(path), FROM_INSIDE)
    for find, where in ((read_inside, FROM_INSIDE), (read_beside, FROM_BESIDE), (read_index, FROM_INDEX)):
        found = find(path)
        if found is not None:
            recipe = parse_recipe(found, str(path)) if isinstance(found, (str, bytes)) else recipe_of(found, str(path))
            return Origin(recipe, where)
    raise InputError(f"{path} carries no recipe, and {INDEX} in its folder has none for it.")


def read_beside(path: Path) -> object | None:
    """Read the recipe in the JSON file beside a file whose format has no room for it."""
    other = path.with_name(path.name + ".json")
    return read_json(other) if other.is_file() else None


def read_json(path: Path) -> object | None:
    """Read the recipe in a JSON file about another file, or about an asset's parts."""
    try:
        raw = json.loads(read_head(path, MAX_BYTES))
    except (ValueError, RecursionError):
        return None
    notes = raw.get("provenance", raw) if isinstance(raw, Mapping) else None
    return notes.get(KEY) if isinstance(notes, Mapping) else None


def read_index(path: Path) -> object | None:
    """Read the recipe in the nearest index of the file's folder or of one above that has the file."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # resolves ".." and leaves links as they are
    for folder in absolute.parents:
        if (folder / INDEX).is_file():
            found = newest_entry(folder / INDEX, absolute.relative_to(folder).as_posix())
            if found is not None:
                return found
    return None


def newest_entry(index: Path, name: str) -> object | None:
    """Return the recipe of the last entry of an index that has a file with a name."""
    found, written = None, json.dumps(name).encode()
    try:
        for line in lines_of(index):
            entry = parse_entry(line) if written in line else {}
            files = entry.get("files")
            found = entry.get("recipe") if isinstance(files, Mapping) and name in files else found
    except OSError as error:
        raise InputError(f"{index} can't be read ({error.strerror}).") from error
    return found


def parse_entry(line: bytes) -> Mapping[str, Any]:
    """Parse a line of an index; an incomplete line, which a run is writing now, gives nothing."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, Mapping) else {}


def read_inside(path: Path) -> object | None:
    """Read the recipe in a file's metadata; None where the format or the file has none."""
    read = READERS.get(path.suffix.lower())
    try:
        return read(path) if read else None
    except Exception as error:  # decoders raise errors of any class for a damaged file
        raise InputError(f"{path} is damaged; its metadata can't be read ({type(error).__name__}).") from error


def read_head(path: Path, most: int = MAX_HEAD) -> bytes:
    """Read the first bytes of a file."""
    try:
        with open_regular(path) as file:
            return file.read(most)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).") from error


def read_png(path: Path) -> object | None:
    """Read the recipe in a PNG's text chunks, without decoding pixels."""
    with open_regular(path) as file:
        if file.read(8) != PNG_SIGNATURE:
            raise ValueError("no PNG")
        for _ in range(MAX_LINES):
            length, kind = struct.unpack(">I4s", file.read(8))
            if kind in (b"IDAT", b"IEND"):
                break
            if kind in (b"tEXt", b"iTXt") and length <= MAX_BYTES:
                keyword, _, text = file.read(length).partition(b"\0")
                if keyword == KEY.encode():
                    # iTXt: our writer uses no compression, no language and no translated keyword.
                    return text.decode("latin-1") if kind == b"tEXt" else text[4:].decode()
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)
    return None


def read_pillow(path: Path) -> object | None:
    """Read the recipe in a WebP's description or a GIF's comment, without decoding frames."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unusual metadata
        with open_regular(path) as file, Image.open(file, formats=("WEBP", "GIF")) as picture:
            text = picture.getexif().get(270) or picture.info.get("comment")
    if not isinstance(text, (str, bytes)):
        return None
    raw = json.loads(text)
    return raw.get(KEY) if isinstance(raw, Mapping) else None


def read_glb(path: Path) -> object | None:
    """Read the recipe in glTF's asset.extras."""
    with open_regular(path) as file:
        magic, _, _, length, kind = struct.unpack("<4sIIII", file.read(20))
        if magic != GLB_MAGIC or kind != JSON_CHUNK or length > MAX_HEAD:
            raise ValueError("no GLB")
        raw = json.loads(file.read(length))
    for key in ("asset", "extras", "recipe"):
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def read_comments(path: Path) -> object | None:
    """Read the recipe in a text's first lines: "# recipe {...}" or "comment recipe {...}"."""
    with open_regular(path) as file:
        for line in islice(iter(lambda: file.readline(MAX_BYTES), b""), MAX_LINES):
            head, word, text = line.partition(b"recipe {")
            if word and head.strip() in (b"#", b"comment", b"//", b";"):
                return (b"{" + text).strip().decode()
    return None


def read_exr(path: Path) -> object | None:
    """Read the recipe in an EXR's attributes (OpenEXR file layout: name, type, size, value, until an empty name)."""
    with open_regular(path) as file:
        if file.read(4) != EXR_MAGIC:
            raise ValueError("no EXR")
        data = read_up_to(file, MAX_BYTES)
    at = 4
    for _ in range(MAX_LINES):
        end = data.index(b"\0", at)
        name = data[at:end]
        if not name:
            break
        kind_end = data.index(b"\0", end + 1)
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        at = kind_end + 5
        if size < 0:
            raise ValueError("a negative size")
        if name == KEY.encode():
            return data[at : at + size].decode()
        at += size
    return None


def read_godot(path: Path) -> object | None:
    """Read the recipe in the metadata of a Godot text resource: a JSON string."""
    with open_regular(path) as file:
        for line in islice(iter(lambda: file.readline(2 * MAX_BYTES), b""), MAX_LINES):
            key, equals, text = line.partition(b"=")
            if equals and key.strip() == b"metadata/recipe":
                return json.loads(text)
    return None


def read_materialx(path: Path) -> object | None:
    """Read the recipe in the line "Recipe: {...}" of an element's documentation."""
    for _, element in islice(read_elements(path), MAX_LINES):
        for line in element.get("doc", "").splitlines():
            keyword, colon, text = line.partition(": ")
            if colon and keyword == KEY:
                return text
    return None


def read_elements(path: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    """Read the start of each XML element; files that declare entities are refused."""
    content = read_head(path)
    # In an encoding with two bytes for each letter, a declaration would not be found; such text has zero bytes.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise ValueError("declares entities, or may do so")
    parser = ElementTree.XMLPullParser(["start"])
    parser.feed(content)
    yield from parser.read_events()  # pyright: ignore[reportReturnType]  # the parser only reports start events


READERS: dict[str, Callable[[Path], Any]] = {
    ".png": read_png,
    ".webp": read_pillow,
    ".gif": read_pillow,
    **dict.fromkeys((".glb", ".vrm", ".vrma"), read_glb),
    **dict.fromkeys((".obj", ".mtl", ".ply"), read_comments),
    ".tres": read_godot,
    ".exr": read_exr,
    ".mtlx": read_materialx,
    ".json": read_json,
}
