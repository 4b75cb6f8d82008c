# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Whether this Blender can run the add-on."""

from __future__ import annotations

import sys

import bpy

from .unpacked import WHEELS, pythons_of


def reason_against() -> str:
    """One sentence that says why this Blender can't run the add-on and what to do; "" if it can."""
    python = ".".join(map(str, sys.version_info[:3]))
    here = f"Blender {bpy.app.version_string} ({bpy.app.binary_path or sys.executable}, Python {python})"
    served = pythons_of(WHEELS)
    if served and sys.version_info[:2] not in served:
        versions = " and ".join(f"{major}.{minor}" for major, minor in served)
        return (
            f"GAN Assets has libraries for Python {versions} alone and can't run in {here}: install a newer GAN "
            "Assets, or use a Blender with one of these Pythons."
        )
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        return (
            f"GAN Assets needs numpy, which {here} can't import ({error}): install numpy for that Python (on Debian: "
            "apt install python3-numpy), or use Blender from blender.org, which brings it along."
        )
    return ""
