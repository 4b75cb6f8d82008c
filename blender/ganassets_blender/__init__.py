"""Blender: the extension, what it talks to, and asset libraries.

`addon/` is what runs inside Blender (GPL-3.0-or-later, as everything that uses its Python interface is); all else runs
beside it, in a process of its own, and needs no Blender.
"""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

EXPORTER = Exporter(
    name="parts",
    summary="what the Blender add-on builds from: arrays, pictures, a thumbnail, a card that says what is what",
    api_version=1,
    kinds=("textures", "mesh", "motion"),
    suffixes=(".json", ".npz", ".png"),
    export="ganassets_blender.parts:encode_parts",
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
