# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Build heads and other meshes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import common, rigged_meshes
from .common import Card, Steps


def build(card: Card, folder: str, pack: bool, author: str, licence: str) -> Steps[Any]:
    """Build a collection with a mesh and its armature.

    The mesh has UVs, normals, skin weights, materials, and a shape key with the value 0 for each morph target.

    Args:
        card: card of a mesh.
        folder: absolute path of the folder with its files.
        pack: whether to store the images in the .blend file; otherwise they stay where they are.
        author: author of the asset; may be empty.
        licence: licence of the asset; empty for the licence in the card.

    Returns:
        The collection, linked to no scene.

    Raises:
        BuildError: a file can't be read.
    """
    with common.remove_on_error() as created:
        collection = yield from rigged_meshes.build_rigged_mesh(card, folder, pack)
        created.append(collection)
        (thing,) = (thing for thing in collection.objects if thing.type == "MESH")
        created += list(collection.objects)
        if card["morphs"]:
            yield from add_shape_keys(thing, card, folder)
        for block in (collection, *collection.objects):
            common.write_provenance(block, card, author, licence)
    return collection


def add_shape_keys(thing: Any, card: Card, folder: str) -> Steps[None]:
    """Add the morph targets to a mesh object."""
    thing.shape_key_add(name="Basis", from_mix=False)
    positions = np.empty((len(thing.data.vertices), 3), np.float32)
    thing.data.vertices.foreach_get("co", positions.ravel())
    yield
    for name, offsets in zip(card["morphs"], common.iterate_rows(card, folder, "offsets"), strict=True):
        key = thing.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", (positions + offsets).ravel())
        key.value = 0.0
        yield
