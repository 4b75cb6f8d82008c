# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Asset libraries in Blender's preferences and Asset Browsers."""

from __future__ import annotations

from pathlib import Path

import bpy

# Name of the library in Blender's preferences.
NAME = "GAN Assets"
INDEX_FOLDER = "ganassets"  # the folder in a library that holds the generated .blend files


def show_library(folder: str) -> str:
    """Add a library to Blender's preferences if it is not there, and refresh all Asset Browsers; returns its name."""
    name = find_library(folder) or add_library(folder)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "ASSETS":
                with bpy.context.temp_override(window=window, area=area):
                    bpy.ops.asset.library_refresh()
    return name


def find_library(folder: str) -> str:
    """Name of a folder among Blender's asset libraries; "" if it is not one of them."""
    libraries = bpy.context.preferences.filepaths.asset_libraries
    return next((one.name for one in libraries if Path(bpy.path.abspath(one.path)) == Path(folder)), "")


def add_library(folder: str) -> str:
    """Add a folder to Blender's asset libraries; returns its name."""
    preferences = bpy.context.preferences
    libraries = preferences.filepaths.asset_libraries
    if hasattr(libraries, "new"):  # since Blender 4.0
        added = libraries.new(name=NAME, directory=folder)
    else:
        bpy.ops.preferences.asset_library_add(directory=folder)
        added = libraries[-1]
        added.name = NAME
    preferences.is_dirty = True
    return added.name
