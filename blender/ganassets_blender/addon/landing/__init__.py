# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Makes Blender's data of an asset's parts: a folder with a card (JSON), pictures and arrays.

What builds is a generator: it makes a little, yields, and returns what it made. So a session stays usable meanwhile. It
keeps nothing but data blocks from step to step, since an undo takes away whatever else it might hold; a step after
that raises ReferenceError. What was made goes again when the generator is closed early or fails.

Nothing here is linked to a scene of the user's, or changes their mode, selection or active object.
"""

from __future__ import annotations

from . import clips, heads, materials
from .common import LandingError, finish, mark, read_card, stamp

# What a library keeps of each kind of asset.
BUILDERS = {"textures": materials.build, "mesh": heads.build, "motion": clips.build_action}

__all__ = ["BUILDERS", "LandingError", "clips", "finish", "heads", "mark", "materials", "read_card", "stamp"]
