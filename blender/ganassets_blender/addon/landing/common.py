# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""What all kinds of asset need: cards, arrays, pictures, and what makes a data block an asset."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import bpy
import numpy as np

FORMAT = 1
PROPERTY = "ganassets"  # custom property with where an asset comes from
ICON = 32  # pixels
LONGEST_TAG = 63  # bytes

Card = Mapping[str, Any]
Result = TypeVar("Result")
Steps = Generator[None, None, Result]


class LandingError(Exception):
    """Why an asset can't be made, in a sentence."""


def read_card(path: str) -> dict[str, Any]:
    """An asset's card; LandingError if it is none of ours."""
    try:
        with open(path, encoding="utf-8") as file:
            card = json.load(file)
    except (OSError, ValueError) as problem:
        raise LandingError(f"{path} can't be read: {problem}.") from problem
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise LandingError(f"{path} is no card that this version knows.")
    return card


def finish(steps: Steps[Result]) -> Result:
    """What steps return, taken all at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def rows(card: Card, folder: str, name: str) -> Iterator[np.ndarray]:
    """The rows of one of an asset's arrays, one at a time: a large one is never in memory as a whole.

    Raises:
        LandingError: the file is broken, or has no such array.
    """
    try:
        with zipfile.ZipFile(os.path.join(folder, card["arrays"])) as archive, archive.open(f"{name}.npy") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            size = dtype.itemsize * int(np.prod(shape[1:]))
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(size), dtype).reshape(shape[1:])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise LandingError(f"{card['arrays']} can't be read: {problem}.") from problem


def read_arrays(card: Card, folder: str, *names: str) -> dict[str, np.ndarray]:
    """Some of an asset's arrays by name; LandingError if the file is broken, or lacks one."""
    try:
        with np.load(os.path.join(folder, card["arrays"]), allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise LandingError(f"{card['arrays']} can't be read: {problem}.") from problem


@contextmanager
def whole_or_gone() -> Iterator[list[Any]]:
    """A list for the data blocks that are made; they are removed again, with what they consist of, if an error or a
    cancellation ends the block.
    """
    made: list[Any] = []
    try:
        yield made
    except BaseException:
        bpy.data.batch_remove({part for thing in made if lives(thing) for part in parts_of(thing)})
        raise


def parts_of(thing: Any) -> Iterator[Any]:
    """A data block of ours and all that were made for it."""
    yield thing
    for part in PARTS.get(thing.bl_rna.identifier, lambda thing: ())(thing):
        if part:
            yield from parts_of(part)


PARTS: dict[str, Callable[[Any], Iterable[Any]]] = {
    "Collection": lambda collection: collection.objects,
    "Object": lambda thing: [thing.data],
    "Mesh": lambda mesh: mesh.materials,
    "Material": lambda material: [node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE"],
}


def lives(thing: Any) -> bool:
    """Whether a data block is there still; an undo or another file takes it away."""
    try:
        return bool(thing.name)
    except ReferenceError:
        return False


def load_image(folder: str, name: str, colour_space: str, pack: bool) -> Any:
    """A picture's data block, named as its file.

    Args:
        folder: where the file is; absolute.
        name: of the file.
        colour_space: "sRGB" or "Non-Color".
        pack: whether to keep the file's bytes in the .blend.
    """
    try:
        image = bpy.data.images.load(os.path.join(folder, name), check_existing=False)
    except RuntimeError as problem:
        raise LandingError(f"{name} can't be read.") from problem
    image.name = name
    image.colorspace_settings.name = colour_space
    if pack:
        keep(image)
    return image


def keep(image: Any) -> None:
    """Keep a picture's bytes in the .blend, which then remembers no folder of this machine."""
    image.pack()
    image.filepath_raw = image.packed_files[0].filepath = f"//{os.path.basename(image.filepath)}"


def stamp(thing: Any, card: Card, author: str, licence: str) -> None:
    """Write where an asset comes from, who made it and what it may be used for into a custom property."""
    thing[PROPERTY] = {**card["provenance"], "Author": author, "Licence": licence or card["licence"]}


def mark(thing: Any, card: Card, folder: str, author: str, licence: str, catalog: str = "") -> None:
    """Make an asset of a data block, with tags, description and a preview.

    Args:
        thing: a material, collection or action.
        card: what it was made of.
        folder: where the thumbnail is.
        author: who made it; may be empty.
        licence: what it may be used for; empty for the card's.
        catalog: UUID of the catalog that it is in; empty for none.
    """
    thing.asset_mark()
    about = thing.asset_data
    about.author = author
    about.description = card["description"]
    for tag in card["tags"]:
        about.tags.new(tag.encode()[:LONGEST_TAG].decode(errors="ignore"), skip_if_exists=True)
    if catalog:
        about.catalog_id = catalog
    if hasattr(about, "license"):  # since 3.6
        about.license = licence or card["licence"]
        about.copyright = card["provenance"].get("Copyright", "")
    show(thing, os.path.join(folder, card["thumbnail"]))


def show(thing: Any, path: str) -> None:
    """Give a data block a square picture as its preview."""
    image = load_image(*os.path.split(path), "sRGB", pack=False)
    try:
        side = image.size[0]
        if tuple(image.size) != (side, side) or side % ICON:
            raise LandingError(f"{path} is no square of a multiple of {ICON} pixels.")
        pixels = np.empty((side, side, 4), np.float32)
        image.pixels.foreach_get(pixels.ravel())
    finally:
        bpy.data.images.remove(image)
    preview = thing.preview_ensure()
    preview.image_size = (side, side)
    preview.image_pixels_float.foreach_set(pixels.ravel())
    icon = pixels.reshape(ICON, side // ICON, ICON, side // ICON, 4).mean((1, 3))
    preview.icon_size = (ICON, ICON)
    preview.icon_pixels_float.foreach_set(icon.ravel())
