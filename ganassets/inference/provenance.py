"""What a file of ours says about where it comes from: inside it, beside it, or in the index of its folder."""

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
MAX_HEAD = 64 * 2**20  # bytes of a header that are looked at
MAX_LINES = 200  # of a text's beginning
GLB_MAGIC, JSON_CHUNK = b"glTF", 0x4E4F534A
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EXR_MAGIC = b"\x76\x2f\x31\x01"
FROM_INSIDE, FROM_BESIDE, FROM_INDEX = "in the file", "in the file beside it", f"in {INDEX} of its output folder"


@dataclass(frozen=True)
class Origin:
    """Where a file comes from.

    Attributes:
        recipe: that makes it.
        where: it was found, in words.
    """

    recipe: Recipe
    where: str


def recipe_in(path: Path) -> Recipe:
    """The recipe that a file is, or carries; InputError when it has none."""
    if path.name.endswith(SUFFIX):
        return parse_recipe(head_of(path, MAX_BYTES + 1), str(path))
    return origin_of(path).recipe


def origin_of(path: Path) -> Origin:
    """Where a file comes from; InputError when nothing tells."""
    try:
        open_regular(path).close()
    except OSError as error:
        why = (
            "is not there" if isinstance(error, FileNotFoundError) else f"can't be read ({str(error.strerror).lower()})"
        )
        raise InputError(f"{path} {why}; give a seed, a recipe, or a file that ganassets made.") from error
    if path.name.endswith(SUFFIX):
        return Origin(recipe_in(path), FROM_INSIDE)
    for find, where in ((inside, FROM_INSIDE), (beside, FROM_BESIDE), (in_index, FROM_INDEX)):
        found = find(path)
        if found is not None:
            recipe = parse_recipe(found, str(path)) if isinstance(found, (str, bytes)) else recipe_of(found, str(path))
            return Origin(recipe, where)
    raise InputError(f"{path} does not say how it was made, and neither does {INDEX} in its folder.")


def beside(path: Path) -> object | None:
    """The recipe in the JSON file beside one, for formats without room."""
    other = path.with_name(path.name + ".json")
    return in_json(other) if other.is_file() else None


def in_json(path: Path) -> object | None:
    """The recipe in a JSON file about a file, or about an asset's parts."""
    try:
        raw = json.loads(head_of(path, MAX_BYTES))
    except (ValueError, RecursionError):
        return None
    notes = raw.get("provenance", raw) if isinstance(raw, Mapping) else None
    return notes.get(KEY) if isinstance(notes, Mapping) else None


def in_index(path: Path) -> object | None:
    """The recipe that the nearest index in the file's folder or above has for it."""
    whole = Path(os.path.abspath(path))  # links stay as they are
    for folder in whole.parents:
        if (folder / INDEX).is_file():
            found = newest_entry(folder / INDEX, whole.relative_to(folder).as_posix())
            if found is not None:
                return found
    return None


def newest_entry(index: Path, name: str) -> object | None:
    """The recipe of the last entry of an index that has a file of that name."""
    found, written = None, json.dumps(name).encode()
    try:
        for line in lines_of(index):
            entry = entry_of(line) if written in line else {}
            files = entry.get("files")
            found = entry.get("recipe") if isinstance(files, Mapping) and name in files else found
    except OSError as error:
        raise InputError(f"{index} can't be read ({error.strerror}).") from error
    return found


def entry_of(line: bytes) -> Mapping[str, Any]:
    """What a line of an index holds; nothing where a run is just writing it."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, Mapping) else {}


def inside(path: Path) -> object | None:
    """The recipe in a file's own notes, None where its format or the file has none."""
    read = READERS.get(path.suffix.lower())
    try:
        return read(path) if read else None
    except Exception as error:  # decoders raise whatever a damaged file makes them meet
        raise InputError(f"{path} is damaged; its notes can't be read ({type(error).__name__}).") from error


def head_of(path: Path, most: int = MAX_HEAD) -> bytes:
    """The first bytes of a file."""
    try:
        with open_regular(path) as file:
            return file.read(most)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).") from error


def in_png(path: Path) -> object | None:
    """Of a PNG's texts; no pixel is decoded."""
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
                    # iTXt: no compression, no language, no translated keyword, as our writer has it.
                    return text.decode("latin-1") if kind == b"tEXt" else text[4:].decode()
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)
    return None


def in_pillow(path: Path) -> object | None:
    """Of a WebP's description or a GIF's comment; no frame is decoded."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata
        with open_regular(path) as file, Image.open(file, formats=("WEBP", "GIF")) as picture:
            text = picture.getexif().get(270) or picture.info.get("comment")
    if not isinstance(text, (str, bytes)):
        return None
    raw = json.loads(text)
    return raw.get(KEY) if isinstance(raw, Mapping) else None


def in_glb(path: Path) -> object | None:
    """Of glTF's asset.extras."""
    with open_regular(path) as file:
        magic, _, _, length, kind = struct.unpack("<4sIIII", file.read(20))
        if magic != GLB_MAGIC or kind != JSON_CHUNK or length > MAX_HEAD:
            raise ValueError("no GLB")
        raw = json.loads(file.read(length))
    for key in ("asset", "extras", "recipe"):
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def in_comments(path: Path) -> object | None:
    """Of a text's first lines: "# recipe {...}" or "comment recipe {...}"."""
    with open_regular(path) as file:
        for line in islice(iter(lambda: file.readline(MAX_BYTES), b""), MAX_LINES):
            head, word, text = line.partition(b"recipe {")
            if word and head.strip() in (b"#", b"comment", b"//", b";"):
                return (b"{" + text).strip().decode()
    return None


def in_exr(path: Path) -> object | None:
    """Of an EXR's attributes (OpenEXR file layout: name, type, size, value, until an empty name)."""
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


def in_godot(path: Path) -> object | None:
    """Of a text resource's metadata: a string as JSON has it."""
    with open_regular(path) as file:
        for line in islice(iter(lambda: file.readline(2 * MAX_BYTES), b""), MAX_LINES):
            key, equals, text = line.partition(b"=")
            if equals and key.strip() == b"metadata/recipe":
                return json.loads(text)
    return None


def in_materialx(path: Path) -> object | None:
    """Of the line "Recipe: {...}" in an element's documentation."""
    for _, element in islice(elements_of(path), MAX_LINES):
        for line in element.get("doc", "").splitlines():
            keyword, colon, text = line.partition(": ")
            if colon and keyword == KEY:
                return text
    return None


def elements_of(path: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    """Elements of an XML file as they begin. No entity that a file could define is expanded."""
    content = head_of(path)
    # Where a declaration can't be seen because letters take two bytes, each has a zero in it.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise ValueError("declares entities, or may do so")
    parser = ElementTree.XMLPullParser(["start"])
    parser.feed(content)
    yield from parser.read_events()  # pyright: ignore[reportReturnType]  # start events alone were asked for


READERS: dict[str, Callable[[Path], Any]] = {
    ".png": in_png,
    ".webp": in_pillow,
    ".gif": in_pillow,
    **dict.fromkeys((".glb", ".vrm", ".vrma"), in_glb),
    **dict.fromkeys((".obj", ".mtl", ".ply"), in_comments),
    ".tres": in_godot,
    ".exr": in_exr,
    ".mtlx": in_materialx,
    ".json": in_json,
}
