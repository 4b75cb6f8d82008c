# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Runs inside a Blender without a window: makes volumes of an asset library, until its input ends.

A request is a line of JSON: {"do": "volume", "cards": [paths], "file": path, "pack": true, "author": "", "licence": "",
"catalogs": {path in the Asset Browser: UUID}} or {"do": "count", "file": path}. The answer is a line that begins with
MARK; its "error" is a sentence without its full stop, "" if all went well.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from typing import Any

import bpy

MARK = "GANASSETS "
LANDING = "ganassets_landing"  # a name of its own: the add-on needn't be there
NO_SPACE = "there may be no space left on the device"
KINDS = ("materials", "collections", "actions")
MADE = (*KINDS, "objects", "meshes", "armatures", "images", "node_groups", "libraries")


def import_landing() -> Any:
    """The package beside this file."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "landing")
    spec = importlib.util.spec_from_file_location(
        LANDING, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec and spec.loader
    sys.modules[LANDING] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return package


landing = import_landing()


def main() -> None:
    """Answer requests."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Blender prints is no answer
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for line in sys.stdin:
        request = json.loads(line)
        began = time.perf_counter()
        answer: dict[str, Any] = {"error": ""}
        try:
            answer |= DEEDS[request.pop("do")](**request)
        except landing.LandingError as problem:
            answer["error"] = str(problem).rstrip(".")
        except Exception as problem:
            answer["error"] = f"{type(problem).__name__}: {problem}"
        empty()
        answer["seconds"] = round(time.perf_counter() - began, 3)
        print(MARK + json.dumps(answer), file=answers, flush=True)


def empty() -> None:
    """Forget what was made."""
    bpy.data.batch_remove([thing for kind in MADE for thing in getattr(bpy.data, kind)])


def volume(
    cards: list[str], file: str, pack: bool, author: str, licence: str, catalogs: dict[str, str]
) -> dict[str, Any]:
    """Write assets into a .blend, and nothing else.

    Args:
        cards: absolute paths of their cards.
        file: absolute path of the .blend.
        pack: whether it holds the pictures; else they are named relative to it.
        author: who made them; may be empty.
        licence: what they may be used for; empty for each card's.
        catalogs: UUIDs by path in the Asset Browser.
    """
    assets = set()
    for path in cards:
        try:
            assets.add(make(path, pack, author, licence, catalogs))
        except landing.LandingError as problem:
            raise landing.LandingError(f"{os.path.basename(path)}: {problem}") from problem
    for image in bpy.data.images:
        if not image.packed_file:
            image.filepath_raw = bpy.path.relpath(image.filepath, start=os.path.dirname(file))
    try:
        write(file, assets)
    except (OSError, RuntimeError) as problem:
        raise landing.LandingError(reason_of(problem)) from problem
    if offered(file) != len(assets):
        raise landing.LandingError(f"the file was cut off; {NO_SPACE}")
    return {"count": len(assets)}


def reason_of(problem: Exception) -> str:
    """Why Blender didn't write a file; 5.3 gives no reason where the disk is full."""
    said = " ".join(str(problem).removeprefix("Error: ").split()).rstrip(".")
    return said if ": " in said else f"{said}; {NO_SPACE}"


def write(file: str, assets: set[Any]) -> None:
    """Write assets and what they need. Blender 5.0 leaves out collections' previews where it writes some data alone;
    there an empty scene goes with them.
    """
    if bpy.app.version >= (5, 0, 0) and any(isinstance(asset, bpy.types.Collection) for asset in assets):
        bpy.ops.wm.save_as_mainfile(filepath=file, copy=True, compress=True, relative_remap=False)
    else:
        bpy.data.libraries.write(file, assets, fake_user=True, compress=True)


def offered(file: str) -> int:
    """How many assets a file offers; none if it is cut off, which some Blenders don't tell of when the disk is full."""
    try:
        with bpy.data.libraries.load(file, link=True, assets_only=True) as (there, _):
            return sum(len(getattr(there, kind)) for kind in KINDS)
    except OSError:
        return 0


def make(path: str, pack: bool, author: str, licence: str, catalogs: dict[str, str]) -> Any:
    """The asset of a card."""
    card, folder = landing.read_card(path), os.path.dirname(path)
    asset = landing.finish(landing.BUILDERS[card["kind"]](card, folder, pack, author, licence))
    landing.mark(asset, card, folder, author, licence, catalogs[card["catalog"]])
    return asset


def count(file: str) -> dict[str, Any]:
    """What a .blend offers the Asset Browser."""
    with bpy.data.libraries.load(file, link=True, assets_only=True) as (there, wanted):
        for kind in KINDS:
            setattr(wanted, kind, getattr(there, kind))
    return {"assets": [row for kind in KINDS for row in map(describe, getattr(wanted, kind))]}


def describe(asset: Any) -> dict[str, Any]:
    """An asset as words."""
    about = asset.asset_data
    return {
        "type": asset.bl_rna.identifier,
        "name": asset.name,
        "catalog": about.catalog_id,
        "tags": [tag.name for tag in about.tags],
        "description": about.description,
        "author": about.author,
        "licence": getattr(about, "license", ""),  # since 3.6
        "has_preview": bool(asset.preview and min(asset.preview.image_size)),
    }


DEEDS = {"volume": volume, "count": count}

if __name__ == "__main__":
    main()
