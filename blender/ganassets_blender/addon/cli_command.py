# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Run the ganassets command line with Blender's own Python: `blender --command ganassets ...`."""

from __future__ import annotations

import subprocess

import bpy

from . import paths

NAME = "ganassets"
_registered: list[object] = []


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    command, environment = paths.python_command(NAME, arguments)
    return subprocess.run(command, env=environment).returncode


def register() -> None:
    """Add the command in Blenders that support commands (4.2 and later)."""
    if hasattr(bpy.utils, "register_cli_command"):
        _registered.append(bpy.utils.register_cli_command(NAME, run))


def unregister() -> None:
    """Remove the command."""
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
