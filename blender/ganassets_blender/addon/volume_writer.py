# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Write .blend files (volumes) of an asset library. Runs inside a Blender without a window until its input ends.

A request is a line of JSON: {"do": "volume", "cards": [paths], "file": path, "pack": true, "author": "", "licence": "",
"catalogs": {catalog path: UUID}} or {"do": "count", "file": path}. The answer is a line that begins with MARK; its
"error" is a sentence without a full stop, or "" on success.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy

MARK = "GANASSETS "
BUILDERS = "ganassets_builders"  # module name for the package "builders", which is imported without the add-on
DISK_FULL = "there may be no space left on the device"
ASSET_KINDS = ("materials", "collections", "actions")
CREATED_KINDS = (*ASSET_KINDS, "objects", "meshes", "armatures", "images", "node_groups", "libraries")


def import_builders() -> Any:
    """Import the package "builders" beside this file."""
    folder = Path(__file__).absolute().with_name("builders")
    spec = importlib.util.spec_from_file_location(
        BUILDERS, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec and spec.loader
    sys.modules[BUILDERS] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return package


builders = import_builders()


def main() -> None:
    """Answer requests."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Blender's own output must not mix with the answers
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        answer: dict[str, Any] = {"error": ""}
        try:
            answer |= REQUESTS[request.pop("do")](**request)
        except builders.BuildError as problem:
            answer["error"] = str(problem).rstrip(".")
        except Exception as problem:
            answer["error"] = f"{type(problem).__name__}: {problem}"
        remove_data()
        answer["seconds"] = round(time.perf_counter() - start, 3)
        print(MARK + json.dumps(answer), file=answers, flush=True)


def remove_data() -> None:
    """Remove all data blocks that a request has created."""
    bpy.data.batch_remove([block for kind in CREATED_KINDS for block in getattr(bpy.data, kind)])


def write_volume(
    cards: list[str], file: str, pack: bool, author: str, licence: str, catalogs: dict[str, str]
) -> dict[str, Any]:
    """Write assets, and nothing else, into a .blend file.

    Args:
        cards: absolute paths of the assets' cards.
        file: absolute path of the .blend file.
        pack: whether the file holds the images; otherwise it has paths relative to it.
        author: author of the assets; may be empty.
        licence: licence of the assets; empty for the licence in each card.
        catalogs: UUIDs by catalog path.

    Returns:
        "count", the number of assets.

    Raises:
        BuildError: an asset can't be built, or the file can't be written.
    """
    assets = set()
    for path in cards:
        try:
            assets.add(build_asset(path, pack, author, licence, catalogs))
        except builders.BuildError as problem:
            raise builders.BuildError(f"{Path(path).name}: {problem}") from problem
    for image in bpy.data.images:
        if not image.packed_file:
            image.filepath_raw = bpy.path.relpath(image.filepath, start=str(Path(file).parent))
    try:
        write_file(file, assets)
    except (OSError, RuntimeError) as problem:
        raise builders.BuildError(explain_error(problem)) from problem
    if count_assets(file) != len(assets):
        raise builders.BuildError(f"the file was cut off; {DISK_FULL}")
    return {"count": len(assets)}


def explain_error(problem: Exception) -> str:
    """Why Blender did not write a file; Blender 5.3 gives no reason when the disk is full."""
    text = " ".join(str(problem).removeprefix("Error: ").split()).rstrip(".")
    return text if ": " in text else f"{text}; {DISK_FULL}"


def write_file(file: str, assets: set[Any]) -> None:
    """Write assets and the data that they use.

    From 5.0 on, Blender leaves out the previews of collections when it writes selected data. There the whole file is
    saved, which adds an empty scene.
    """
    if bpy.app.version >= (5, 0, 0) and any(isinstance(asset, bpy.types.Collection) for asset in assets):
        bpy.ops.wm.save_as_mainfile(filepath=file, copy=True, compress=True, relative_remap=False)
    else:
        bpy.data.libraries.write(file, assets, fake_user=True, compress=True)


def count_assets(file: str) -> int:
    """Number of assets in a file; 0 if it is cut off, which some Blenders don't report when the disk is full."""
    try:
        with bpy.data.libraries.load(file, link=True, assets_only=True) as (there, _):
            return sum(len(getattr(there, kind)) for kind in ASSET_KINDS)
    except OSError:
        return 0


def build_asset(path: str, pack: bool, author: str, licence: str, catalogs: dict[str, str]) -> Any:
    """Build the asset of a card and mark it as an asset."""
    card, folder = builders.read_card(path), str(Path(path).parent)
    asset = builders.run_to_end(builders.BUILDERS[card["kind"]](card, folder, pack, author, licence))
    builders.mark_as_asset(asset, card, folder, author, licence, catalogs[card["catalog"]])
    return asset


def describe_volume(file: str) -> dict[str, Any]:
    """Describe the assets that a .blend file offers to the Asset Browser."""
    with bpy.data.libraries.load(file, link=True, assets_only=True) as (there, loaded):
        for kind in ASSET_KINDS:
            setattr(loaded, kind, getattr(there, kind))
    return {"assets": [describe_asset(asset) for kind in ASSET_KINDS for asset in getattr(loaded, kind)]}


def describe_asset(asset: Any) -> dict[str, Any]:
    """Describe an asset: its type, name and metadata."""
    metadata = asset.asset_data
    return {
        "type": asset.bl_rna.identifier,
        "name": asset.name,
        "catalog": metadata.catalog_id,
        "tags": [tag.name for tag in metadata.tags],
        "description": metadata.description,
        "author": metadata.author,
        "licence": getattr(metadata, "license", ""),  # since Blender 3.6
        "has_preview": bool(asset.preview and min(asset.preview.image_size)),
    }


REQUESTS = {"volume": write_volume, "count": describe_volume}

if __name__ == "__main__":
    main()
