# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that the worker process has found. Needs no bpy."""

from __future__ import annotations

from typing import Any

SEARCHING = ("NONE", "Looking for models...", "", "TIME", 0)
NO_MODELS = ("NONE", "No models", "", "ERROR", 0)
ICONS = {"textures": "MATERIAL", "mesh": "USER", "motion": "ARMATURE_DATA"}

Model = dict[str, Any]

FOUND: list[Model] = []
BROKEN: list[Model] = []
# Blender keeps no reference to the texts of an enumeration's items, so this list must stay alive.
ITEMS: list[tuple[str, str, str, str, int]] = [SEARCHING]


def set_models(models: list[Model]) -> None:
    """Replace the known models.

    Args:
        models: descriptions from the worker process; those that failed to load have an "error".
    """
    FOUND[:] = [model for model in models if "error" not in model]
    BROKEN[:] = [model for model in models if "error" in model]
    items = [
        (model["path"], title(model), f"{model['summary']} {model['path']}", ICONS.get(model["kind"], "FILE"), number)
        for number, model in enumerate(FOUND, start=1)
    ]
    ITEMS[:] = items or [NO_MODELS]


def title(model: Model) -> str:
    """Name of a model in the panel."""
    return model["name"].capitalize() if model["boxed"] else f"{model['name']} ({model['generator']})"


def find(name: str) -> Model | None:
    """Find a model by its path, or a built-in one by its name."""
    return next((m for m in FOUND if m["path"] == name or (m["boxed"] and m["name"] == name)), None)
