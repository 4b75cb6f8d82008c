# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Build Blender data from an asset's parts: a folder with a card (JSON), images and arrays.

Builders are generators: each step does a little work and yields, so that Blender stays usable. The generator returns
the result. Between steps, a builder keeps references to data blocks only, because an undo frees everything else. A step
after an undo raises ReferenceError. If the generator fails or is closed early, all that it has created is removed.

Builders link nothing to the user's scenes, and do not change the user's mode, selection or active object.
"""

from __future__ import annotations

from . import clips, materials, meshes
from .common import BuildError, mark_as_asset, read_card, run_to_end, write_provenance

# Builder of the asset that a library stores, by kind.
BUILDERS = {"textures": materials.build, "mesh": meshes.build, "motion": clips.build_action}

__all__ = [
    "BUILDERS",
    "BuildError",
    "clips",
    "mark_as_asset",
    "materials",
    "meshes",
    "read_card",
    "run_to_end",
    "write_provenance",
]
