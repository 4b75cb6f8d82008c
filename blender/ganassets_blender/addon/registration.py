# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Register the add-on's classes, handlers and menus with Blender."""

from __future__ import annotations

import bpy

from . import cli_command, operators, panels, preferences, properties, session

CLASSES = (properties.GANASSETS_State, preferences.GANASSETS_AddonPreferences, *operators.CLASSES, *panels.CLASSES)


@bpy.app.handlers.persistent
def before_file_closes(*_: object) -> None:
    """Save the panel's values and stop placing assets: Blender is about to open another file."""
    if session.SESSION:
        session.SESSION.job_runner.handle_file_closed()
        session.SESSION.save_panel()


@bpy.app.handlers.persistent
def after_file_opened(*_: object) -> None:
    """Restore the panel's values in the file that was opened."""
    if session.SESSION:
        session.SESSION.restore_panel()


@bpy.app.handlers.persistent
def before_undo(*_: object) -> None:
    """Discard assets that are half built: an undo or redo replaces all data blocks."""
    if session.SESSION:
        session.SESSION.job_runner.discard_placement()


HANDLERS = (
    ("load_pre", before_file_closes),
    ("load_post", after_file_opened),
    ("undo_pre", before_undo),
    ("redo_pre", before_undo),
)


def register() -> None:
    """Add everything to Blender."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.ganassets = bpy.props.PointerProperty(type=properties.GANASSETS_State)
    session.SESSION = session.AddonSession()
    bpy.types.VIEW3D_MT_add.append(panels.draw_in_add)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    cli_command.register()
    if not bpy.app.background:
        bpy.app.timers.register(session.tick, first_interval=0.5, persistent=True)


def unregister() -> None:
    """Remove everything from Blender."""
    cli_command.unregister()
    if bpy.app.timers.is_registered(session.tick):
        bpy.app.timers.unregister(session.tick)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    bpy.types.VIEW3D_MT_add.remove(panels.draw_in_add)
    session.unregister_looks()
    session.get_session().close()
    session.SESSION = None
    del bpy.types.WindowManager.ganassets
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
