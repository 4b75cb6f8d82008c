# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""What the process must know of an armature that clips are put on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def write(armature: Any, folder: Path) -> str:
    """Write an armature's bones at rest into a file of a folder; returns its path."""
    bones = list(armature.data.bones)
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    told = {
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
    text = json.dumps(told)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    path.write_text(text, encoding="utf-8")
    return str(path)
