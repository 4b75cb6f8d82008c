"""Blender: the extension, what it talks to, and asset libraries.

`addon/` is what runs inside Blender (GPL-3.0-or-later, as everything that uses its Python interface is); all else runs
beside it, in a process of its own, and needs no Blender.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Asset, Exporter, Option


def export(asset: Asset, options: Mapping[str, Any]) -> dict[str, bytes]:
    """What the add-on builds an asset from; see parts.py."""
    from .parts import encode_parts

    return encode_parts(asset, options)


EXPORTER = Exporter(
    name="parts",
    summary="what the Blender add-on builds from: arrays, pictures, a thumbnail, a card that says what is what",
    api_version=1,
    kinds=("textures", "mesh", "motion"),
    suffixes=(".json", ".npz", ".png"),
    export=export,
    options=(
        Option(
            "rig",
            str,
            "mixamo",
            "names and rest pose of a clip's bones",
            choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
            kinds=("motion",),
        ),
        Option("armature", str, "", "file with the bones of an armature that a clip is put on", kinds=("motion",)),
        Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=("motion",)),
    ),
)
