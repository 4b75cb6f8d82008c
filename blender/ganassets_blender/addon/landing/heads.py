# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Heads, and other meshes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import common, figures
from .common import Card, Steps


def build(card: Card, folder: str, pack: bool, author: str, licence: str) -> Steps[Any]:
    """A collection, linked to no scene, with a mesh and its armature: UVs, normals, weights, materials, and a shape key
    at 0 for each morph target.

    Args:
        card: of a mesh.
        folder: where its files are; absolute.
        pack: whether to keep the pictures' bytes in the .blend; else they stay where they are.
        author: who made it; may be empty.
        licence: what it may be used for; empty for the card's.

    Raises:
        LandingError: a file can't be read.
    """
    with common.whole_or_gone() as made:
        collection = yield from figures.build_figure(card, folder, pack)
        made.append(collection)
        (thing,) = (thing for thing in collection.objects if thing.type == "MESH")
        made += list(collection.objects)
        if card["morphs"]:
            yield from add_shape_keys(thing, card, folder)
        for part in (collection, *collection.objects):
            common.stamp(part, card, author, licence)
    return collection


def add_shape_keys(thing: Any, card: Card, folder: str) -> Steps[None]:
    """The morph targets."""
    thing.shape_key_add(name="Basis", from_mix=False)
    positions = np.empty((len(thing.data.vertices), 3), np.float32)
    thing.data.vertices.foreach_get("co", positions.ravel())
    yield
    for name, offsets in zip(card["morphs"], common.rows(card, folder, "offsets"), strict=True):
        key = thing.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", (positions + offsets).ravel())
        key.value = 0.0
        yield
