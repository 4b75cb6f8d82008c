# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Read an asset's parts, load images, and turn data blocks into assets; shared by all builders."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import bpy
import numpy as np

FORMAT = 1
PROVENANCE = "ganassets"  # custom property of every generated data block
ICON_SIZE = 32  # pixels
MAX_TAG_BYTES = 63

Card = Mapping[str, Any]
Result = TypeVar("Result")
Steps = Generator[None, None, Result]


class BuildError(Exception):
    """An asset can't be built; the message is a sentence for the user."""


def read_card(path: str) -> dict[str, Any]:
    """Read an asset's card.

    Raises:
        BuildError: the file can't be read, or is not a card of this version.
    """
    try:
        card = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BuildError(f"{path} can't be read: {problem}.") from problem
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BuildError(f"{path} is not an asset card of this version; generate the asset again.")
    return card


def run_to_end(steps: Steps[Result]) -> Result:
    """Run all steps at once and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def iterate_rows(card: Card, folder: str, name: str) -> Iterator[np.ndarray]:
    """Read the rows of an array one at a time, so that a large array is never in memory as a whole.

    Args:
        card: of the asset.
        folder: folder with its files.
        name: name of the array.

    Raises:
        BuildError: the file is damaged, or has no such array.
    """
    try:
        with zipfile.ZipFile(Path(folder, card["arrays"])) as archive, archive.open(f"{name}.npy") as file:
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            size = dtype.itemsize * int(np.prod(shape[1:]))
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(size), dtype).reshape(shape[1:])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise BuildError(f"{card['arrays']} can't be read: {problem}.") from problem


def read_arrays(card: Card, folder: str, *names: str) -> dict[str, np.ndarray]:
    """Read some of an asset's arrays.

    Args:
        card: of the asset.
        folder: folder with its files.
        *names: names of the arrays.

    Raises:
        BuildError: the file is damaged, or lacks one of the arrays.
    """
    try:
        with np.load(Path(folder, card["arrays"]), allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise BuildError(f"{card['arrays']} can't be read: {problem}.") from problem


@contextmanager
def remove_on_error() -> Iterator[list[Any]]:
    """Provide a list for new data blocks; an error or a cancellation removes them and everything that they use."""
    created: list[Any] = []
    try:
        yield created
    except BaseException:
        existing = filter(exists, created)
        bpy.data.batch_remove({block for root in existing for block in iterate_used(root)})
        raise


def iterate_used(block: Any) -> Iterator[Any]:
    """Iterate over a data block and all data blocks that were created for it."""
    yield block
    for used in used_blocks(block):
        if used:
            yield from iterate_used(used)


def used_blocks(block: Any) -> Iterable[Any]:
    """Data blocks that a data block uses directly."""
    kind = block.bl_rna.identifier
    if kind == "Collection":
        return block.objects
    if kind == "Object":
        return [block.data]
    if kind == "Mesh":
        return block.materials
    if kind == "Material":
        return [node.image for node in block.node_tree.nodes if node.type == "TEX_IMAGE"]
    return ()


def exists(block: Any) -> bool:
    """Return whether a data block still exists; an undo or another file removes it."""
    try:
        return bool(block.name)
    except ReferenceError:
        return False


def load_image(folder: str, name: str, colour_space: str, pack: bool) -> Any:
    """Load an image; its data block gets the name of the file.

    Args:
        folder: absolute path of the folder.
        name: name of the file.
        colour_space: "sRGB" or "Non-Color".
        pack: whether to store the file in the .blend file.

    Raises:
        BuildError: the file can't be read.
    """
    try:
        image = bpy.data.images.load(str(Path(folder, name)), check_existing=False)
    except RuntimeError as problem:
        raise BuildError(f"{name} can't be read.") from problem
    image.name = name
    image.colorspace_settings.name = colour_space
    if pack:
        pack_image(image)
    return image


def pack_image(image: Any) -> None:
    """Store an image in the .blend file, and remove the path of its folder."""
    image.pack()
    image.filepath_raw = image.packed_files[0].filepath = f"//{Path(image.filepath).name}"


def write_provenance(block: Any, card: Card, author: str, licence: str) -> None:
    """Write an asset's provenance, author and licence into a custom property."""
    block[PROVENANCE] = {**card["provenance"], "Author": author, "Licence": licence or card["licence"]}


def mark_as_asset(block: Any, card: Card, folder: str, author: str, licence: str, catalog: str = "") -> None:
    """Mark a data block as an asset, with tags, description and preview.

    Args:
        block: a material, collection or action.
        card: of the asset.
        folder: folder with the thumbnail.
        author: author of the asset; may be empty.
        licence: licence of the asset; empty for the licence in the card.
        catalog: UUID of the asset's catalog; empty for none.
    """
    block.asset_mark()
    metadata = block.asset_data
    metadata.author = author
    metadata.description = card["description"]
    for tag in card["tags"]:
        metadata.tags.new(tag.encode()[:MAX_TAG_BYTES].decode(errors="ignore"), skip_if_exists=True)
    if catalog:
        metadata.catalog_id = catalog
    if hasattr(metadata, "license"):  # since Blender 3.6
        metadata.license = licence or card["licence"]
        metadata.copyright = card["provenance"].get("Copyright", "")
    set_preview(block, Path(folder, card["thumbnail"]))


def set_preview(block: Any, path: Path) -> None:
    """Set the preview and icon of a data block from a square image.

    Raises:
        BuildError: the image can't be read, is not square, or its side is not a multiple of ICON_SIZE.
    """
    image = load_image(str(path.parent), path.name, "sRGB", pack=False)
    try:
        side = image.size[0]
        if tuple(image.size) != (side, side) or side % ICON_SIZE:
            raise BuildError(f"{path} must be a square whose side is a multiple of {ICON_SIZE} pixels.")
        pixels = np.empty((side, side, 4), np.float32)
        image.pixels.foreach_get(pixels.ravel())
    finally:
        bpy.data.images.remove(image)
    preview = block.preview_ensure()
    preview.image_size = (side, side)
    preview.image_pixels_float.foreach_set(pixels.ravel())
    icon = pixels.reshape(ICON_SIZE, side // ICON_SIZE, ICON_SIZE, side // ICON_SIZE, 4).mean((1, 3))
    preview.icon_size = (ICON_SIZE, ICON_SIZE)
    preview.icon_pixels_float.foreach_set(icon.ravel())
