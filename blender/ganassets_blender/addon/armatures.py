# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the rest pose of a user's armature for the worker process, which retargets clips to it. Needs no bpy."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def write_armature(armature: Any, folder: Path) -> str:
    """Write an armature's bones at rest into a JSON file named after its content.

    Args:
        armature: an armature object.
        folder: folder for the file.

    Returns:
        path of the file; ganassets_blender/armatures.py describes the format.
    """
    bones = list(armature.data.bones)
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    rest = {
        "name": armature.name,
        "bones": [
            {
                "name": bone.name,
                "parent": numbers[bone.parent.name] if bone.parent else -1,
                "matrix": [value for row in bone.matrix_local for value in row],
                "connected": bone.use_connect,
                "inherits": bone.use_inherit_rotation,
            }
            for bone in bones
        ],
    }
    text = json.dumps(rest)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    path.write_text(text, encoding="utf-8")
    return str(path)
