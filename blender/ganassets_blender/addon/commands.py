# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""`blender --command ganassets ...`: the whole command line, with Blender's own Python."""

from __future__ import annotations

import subprocess

import bpy

from . import places

NAME = "ganassets"
_known: list[object] = []


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    command, environment = places.command_for(NAME, arguments)
    return subprocess.run(command, env=environment).returncode


def register() -> None:
    """Add the command, where Blender has such (since 4.2)."""
    if hasattr(bpy.utils, "register_cli_command"):
        _known.append(bpy.utils.register_cli_command(NAME, run))


def unregister() -> None:
    """Remove it."""
    while _known:
        bpy.utils.unregister_cli_command(_known.pop())
