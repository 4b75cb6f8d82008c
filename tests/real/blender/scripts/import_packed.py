"""Import a volume as the Asset Browser of Blender 5.0 and later does by default: packed into the user's file.

Usage: python import_packed.py -- VOLUME NEW_FILE

Saves the assets in a new file, moves the volume away, opens the file again and prints its content as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]

KINDS = ("materials", "collections", "actions")


def import_packed(volume: str) -> None:
    """Import all assets and use each of them in the scene."""
    with bpy.data.libraries.load(volume, link=True, pack=True, assets_only=True) as (there, loaded):
        for kind in KINDS:
            setattr(loaded, kind, getattr(there, kind))
    scene = bpy.context.scene.collection
    for material in loaded.materials:
        mesh = bpy.data.meshes.new("mesh")
        mesh.materials.append(material)
        scene.objects.link(bpy.data.objects.new("thing", mesh))
    for collection in loaded.collections:
        scene.children.link(collection)
    for action in loaded.actions:
        thing = bpy.data.objects.new("performer", None)
        scene.objects.link(thing)
        thing.animation_data_create().action = action


def main(volume: str, file: str) -> None:
    """Import, save, open again without the volume, and report."""
    away = f"{volume}.away"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=file)
    import_packed(volume)
    bpy.ops.wm.save_mainfile()
    Path(volume).rename(away)
    try:
        bpy.ops.wm.open_mainfile(filepath=file)
        images = bpy.data.images
        report = {
            "assets": sorted(one.name for kind in KINDS for one in getattr(bpy.data, kind) if one.asset_data),
            "packed": sorted({bool(one.packed_file) for one in images}),
            "readable": [min(one.size) > 0 for one in images],
            "paths": sorted(one.filepath for one in images),
            "shape_keys": [len(one.key_blocks) for one in bpy.data.shape_keys],
        }
    finally:
        Path(away).rename(volume)
    print("REPORT " + json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
