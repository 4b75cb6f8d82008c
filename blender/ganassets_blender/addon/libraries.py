# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Asset libraries as Blender knows them: its preferences and its Asset Browsers."""

from __future__ import annotations

from pathlib import Path

import bpy

NAME, SHELF = "GAN Assets", "ganassets"  # what Blender calls it, and the folder in it that is ours


def show(folder: str) -> str:
    """Let Blender know a library, and its Asset Browsers look again; returns its name."""
    name = known(folder) or add(folder)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "ASSETS":
                with bpy.context.temp_override(window=window, area=area):
                    bpy.ops.asset.library_refresh()
    return name


def known(folder: str) -> str:
    """The name that Blender knows a folder by, or ""."""
    libraries = bpy.context.preferences.filepaths.asset_libraries
    return next((one.name for one in libraries if Path(bpy.path.abspath(one.path)) == Path(folder)), "")


def add(folder: str) -> str:
    """Add a folder to the asset libraries of the user's preferences; returns its name."""
    preferences = bpy.context.preferences
    libraries = preferences.filepaths.asset_libraries
    if hasattr(libraries, "new"):  # since 4.0
        added = libraries.new(name=NAME, directory=folder)
    else:
        bpy.ops.preferences.asset_library_add(directory=folder)
        added = libraries[-1]
        added.name = NAME
    preferences.is_dirty = True
    return added.name
