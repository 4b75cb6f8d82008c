# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that the process knows of. No bpy."""

from __future__ import annotations

from typing import Any

NONE = ("NONE", "Looking for models...", "", "TIME", 0)
ICONS = {"textures": "MATERIAL", "mesh": "USER", "motion": "ARMATURE_DATA"}

Model = dict[str, Any]

FOUND: list[Model] = []
BROKEN: list[Model] = []
# Blender keeps no reference to what an enumeration's items say, so this one must live on.
ITEMS: list[tuple[str, str, str, str, int]] = [NONE]


def take(found: list[Model]) -> None:
    """Take in what the process found."""
    FOUND[:] = [model for model in found if "error" not in model]
    BROKEN[:] = [model for model in found if "error" in model]
    items = [
        (model["path"], title(model), f"{model['summary']} {model['path']}", ICONS.get(model["kind"], "FILE"), number)
        for number, model in enumerate(FOUND, start=1)
    ]
    ITEMS[:] = items or [("NONE", "No models", "", "ERROR", 0)]


def title(model: Model) -> str:
    """What the list calls a model."""
    return model["name"].capitalize() if model["boxed"] else f"{model['name']} ({model['generator']})"


def find(name: str) -> Model | None:
    """The model of a path, or in the box of a name."""
    return next((m for m in FOUND if m["path"] == name or (m["boxed"] and m["name"] == name)), None)
