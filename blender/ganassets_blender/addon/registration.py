# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Registers the add-on's classes, handlers and menus with Blender."""

from __future__ import annotations

import bpy

from . import commands, operators, panels, preferences, properties, studio

CLASSES = (properties.GANASSETS_State, preferences.GANASSETS_AddonPreferences, *operators.CLASSES, *panels.CLASSES)


@bpy.app.handlers.persistent
def file_closes(*_: object) -> None:
    """The file that is open is about to be replaced by another one."""
    if studio.STUDIO:
        studio.STUDIO.works.file_closed()
        studio.STUDIO.keep()


@bpy.app.handlers.persistent
def file_is_open(*_: object) -> None:
    """Another file is open."""
    if studio.STUDIO:
        studio.STUDIO.put_back()


@bpy.app.handlers.persistent
def undone(*_: object) -> None:
    """An undo or redo is about to replace data blocks."""
    if studio.STUDIO:
        studio.STUDIO.works.drop()


HANDLERS = (("load_pre", file_closes), ("load_post", file_is_open), ("undo_pre", undone), ("redo_pre", undone))


def register() -> None:
    """Add everything to Blender."""
    for made in CLASSES:
        bpy.utils.register_class(made)
    bpy.types.WindowManager.ganassets = bpy.props.PointerProperty(type=properties.GANASSETS_State)
    studio.STUDIO = studio.Studio()
    bpy.types.VIEW3D_MT_add.append(panels.draw_in_add)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    commands.register()
    if not bpy.app.background:
        bpy.app.timers.register(studio.tick, first_interval=0.5, persistent=True)


def unregister() -> None:
    """Remove everything from Blender."""
    commands.unregister()
    if bpy.app.timers.is_registered(studio.tick):
        bpy.app.timers.unregister(studio.tick)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    bpy.types.VIEW3D_MT_add.remove(panels.draw_in_add)
    studio.hide_looks()
    studio.studio().close()
    studio.STUDIO = None
    del bpy.types.WindowManager.ganassets
    for made in reversed(CLASSES):
        bpy.utils.unregister_class(made)
