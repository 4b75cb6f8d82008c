"""The Blender extension, the process that it talks to, and asset libraries.

`addon/` runs inside Blender. It is licensed under GPL-3.0-or-later, like all code that uses Blender's Python interface.
Everything else runs in processes of its own and needs no Blender.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Asset, Exporter, Option


def export(asset: Asset, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Encode the parts from which the add-on builds an asset; see parts.py."""
    from .parts import encode_parts

    return encode_parts(asset, options)


EXPORTER = Exporter(
    name="parts",
    summary="input of the Blender add-on: arrays, images, a thumbnail, and a card that describes them",
    api_version=1,
    kinds=("textures", "mesh", "motion"),
    suffixes=(".json", ".npz", ".png"),
    export=export,
    options=(
        Option(
            "rig",
            str,
            "mixamo",
            "bone names and rest pose of a clip's armature",
            choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
            kinds=("motion",),
        ),
        Option("armature", str, "", "file that describes the armature to retarget a clip to", kinds=("motion",)),
        Option("root", str, "motion", "root motion, or in place", choices=("motion", "in-place"), kinds=("motion",)),
    ),
)
