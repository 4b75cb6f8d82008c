# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Check whether this Blender can run the add-on."""

from __future__ import annotations

import sys

import bpy

from .wheel_runner import WHEELS, supported_pythons


def find_problem() -> str:
    """One sentence that says why this Blender can't run the add-on and what to do; "" if it can."""
    python = ".".join(map(str, sys.version_info[:3]))
    this_blender = f"Blender {bpy.app.version_string} ({bpy.app.binary_path or sys.executable}, Python {python})"
    supported = supported_pythons(WHEELS)
    if supported and sys.version_info[:2] not in supported:
        versions = " and ".join(f"{major}.{minor}" for major, minor in supported)
        return (
            f"GAN Assets supports Python {versions} only and can't run in {this_blender}: install a newer GAN Assets, "
            "or use a Blender with one of these Python versions."
        )
    try:
        import numpy  # noqa: F401 - only to see whether it can be imported
    except ImportError as error:
        return (
            f"GAN Assets needs numpy, which {this_blender} can't import ({error}): install numpy for that Python (on "
            "Debian: apt install python3-numpy), or use Blender from blender.org, which includes it."
        )
    return ""
