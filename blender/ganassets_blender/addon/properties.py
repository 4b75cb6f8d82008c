# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""Properties of the panel. The window manager holds them, so changes are not undo steps."""

import contextlib
import random
from typing import Any

import bpy

from . import job_queue, models

ANY = "ANY"
SIZES = (256, 512, 1024, 2048)
CUSTOM = "CUSTOM"
SIZE_STEP = 16  # pixels
RANGE, RANDOM, PICKED = "RANGE", "RANDOM", "PICKED"
MAX_SEED = 2**31 - 1
RIGS = (
    ("mixamo", "Mixamo", "Bone names of Mixamo, such as mixamorig:Hips"),
    ("rigify", "Rigify", "Deform bones of Rigify"),
    ("unreal", "Unreal", "Bone names of Unreal's mannequin"),
    ("unity", "Unity", "Bone names of Mecanim"),
    ("godot", "Godot", "Bone names of SkeletonProfileHumanoid"),
    ("vrm", "VRM", "Bone names of VRM 1.0"),
)
TARGETS = (
    (
        job_queue.LIBRARY,
        "Asset Library",
        "Add the assets to an asset library. The open file does not change",
        "ASSET_MANAGER",
        0,
    ),
    (job_queue.GRID, "Grid in Scene", "Place the assets in a grid, starting at the 3D cursor", "GRID", 1),
    (
        job_queue.APPLY,
        "Selected Objects",
        "Apply materials to the selected objects, or a clip to the active armature",
        "RESTRICT_SELECT_OFF",
        2,
    ),
)


def model_items(self: Any, context: Any) -> list[tuple[str, str, str, str, int]]:
    """Items of the list of models."""
    return models.ITEMS


def clear_picked(self: Any, context: Any) -> None:
    """Clear the picked seeds: they belong to the model that was chosen before."""
    self.picked = ""


class GANASSETS_State(bpy.types.PropertyGroup):
    """Properties that do not depend on the model."""

    model: bpy.props.EnumProperty(
        name="Model", description="Model that generates the assets", items=model_items, update=clear_picked
    )
    seed_mode: bpy.props.EnumProperty(
        name="Seeds",
        description="Each seed is one asset. The same seed always gives the same asset",
        items=(
            (RANGE, "List", "Seeds such as 1-200 or 3,7,20-30"),
            (RANDOM, "Random", "A number of random seeds"),
            (PICKED, "Picked", "The seeds that you have picked in the preview"),
        ),
    )
    seeds: bpy.props.StringProperty(name="Seeds", description="Seeds such as 1-200 or 3,7,20-30", default="1-50")
    count: bpy.props.IntProperty(name="Count", description="Number of assets", default=50, min=1, max=100_000)
    picked: bpy.props.StringProperty(name="Picked", description="Seeds that you have picked in the preview")
    truncation: bpy.props.FloatProperty(
        name="Variety",
        description="Truncation. 0: every asset is the average one; 1: full variety of the model",
        default=0.85,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    size: bpy.props.EnumProperty(
        name="Size",
        description="Size of the textures in pixels",
        items=[(str(side), f"{side} px", f"{side} x {side} pixels") for side in SIZES]
        + [(CUSTOM, "Custom", "Choose width and height")],
        default="512",
    )
    width: bpy.props.IntProperty(
        name="Width", description="Width in pixels", default=1024, min=SIZE_STEP, max=8192, step=SIZE_STEP
    )
    height: bpy.props.IntProperty(
        name="Height", description="Height in pixels", default=512, min=SIZE_STEP, max=8192, step=SIZE_STEP
    )
    target: bpy.props.EnumProperty(name="Into", description="Where the assets go", items=TARGETS)
    rig: bpy.props.EnumProperty(
        name="Bones", description="Bone names and rest pose of the generated armature", items=RIGS
    )
    in_place: bpy.props.BoolProperty(name="In place", description="Keep the figure in place: no root motion")
    first: bpy.props.IntProperty(name="First", description="Seed of the first thumbnail", default=1, min=0)

    def size_text(self, max_size: int = 0) -> str:
        """Size as it is written in a job, for example "512" or "1024x512".

        Args:
            max_size: longest side in pixels, to which larger sizes are scaled down; 0 for no limit.
        """
        sides = (self.width, self.height) if self.size == CUSTOM else (int(self.size),)
        if max_size and max(sides) > max_size:
            sides = [max(SIZE_STEP, side * max_size // max(sides) // SIZE_STEP * SIZE_STEP) for side in sides]
        return "x".join(map(str, sides))

    def seed_options(self) -> dict[str, Any]:
        """Part of a job that says which seeds."""
        if self.seed_mode == RANDOM:
            return {"count": self.count, "seed": random.randrange(MAX_SEED - self.count)}
        return {"seeds": self.picked if self.seed_mode == PICKED else self.seeds}


def clip_options(chosen: Any) -> dict[str, str]:
    """Exporter options of a clip job.

    Args:
        chosen: the panel's state or an operator, with the properties `rig` and `in_place`.
    """
    return {"rig": chosen.rig, "root": "in-place" if chosen.in_place else "motion"}


def get_values(group: Any) -> dict[str, Any]:
    """Values of a property group by name."""
    names = [one.identifier for one in group.bl_rna.properties]
    return {name: getattr(group, name) for name in names if name not in ("rna_type", "name")}


def set_values(group: Any, values: dict[str, Any]) -> None:
    """Set the values of a property group; enumeration items that no longer exist, such as a model, are skipped."""
    for name, value in values.items():
        with contextlib.suppress(TypeError):
            setattr(group, name, value)


def make_looks_class(model: dict[str, Any]) -> type:
    """Make a property group with a model's sliders and settings: ranges, units and help included.

    The seed decides the values of sliders that are not used, in combinations that are likely in the training data.
    """
    annotations: dict[str, Any] = {}
    for i, condition in enumerate(model["conditions"]):
        label, text = format_label(condition["name"]), condition["help"]
        if condition["choices"] or condition["switch"]:
            choices = condition["choices"] or ["yes", "no"]
            items = [(ANY, "Any", "The seed decides"), *((name, format_label(name), text) for name in choices)]
            annotations[f"slider_{i}"] = bpy.props.EnumProperty(name=label, description=text, items=items)
        else:
            low, high = condition["low"], condition["high"]
            unit = f" ({condition['unit']})" if condition["unit"] else ""
            annotations[f"use_{i}"] = bpy.props.BoolProperty(
                name=f"Set {label}", description="Set this value. Otherwise the seed decides"
            )
            annotations[f"slider_{i}"] = bpy.props.FloatProperty(
                name=label + unit, description=text, min=low, max=high, default=(low + high) / 2, precision=2
            )
    for i, setting in enumerate(model["settings"]):
        annotations[f"setting_{i}"] = make_setting_property(setting)
    return type("GANASSETS_Looks", (bpy.types.PropertyGroup,), {"__annotations__": annotations})


def make_setting_property(setting: dict[str, Any]) -> Any:
    """Make the property of one setting."""
    texts = {"name": format_label(setting["name"]), "description": setting["help"], "default": setting["default"]}
    if setting["choices"]:
        return bpy.props.EnumProperty(**texts, items=[(name, format_label(name), "") for name in setting["choices"]])
    bounds = {key: setting[end] for key, end in (("min", "low"), ("max", "high")) if setting[end] is not None}
    if setting["type"] in ("int", "float"):
        numbers = {"int": (bpy.props.IntProperty, int), "float": (bpy.props.FloatProperty, float)}
        make, cast = numbers[setting["type"]]
        return make(**texts, **{key: cast(value) for key, value in bounds.items()})
    return {"bool": bpy.props.BoolProperty, "str": bpy.props.StringProperty}[setting["type"]](**texts)


def format_label(name: str) -> str:
    """Label of a slider or choice: "Skin tone" for "skin_tone"."""
    return name.replace("_", " ").replace("-", " ").capitalize()


def changed_looks(model: dict[str, Any], looks: Any) -> dict[str, Any]:
    """Part of a job with the sliders and settings that the user has changed.

    Args:
        model: its description.
        looks: property group of the class from make_looks_class.
    """
    sliders: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for i, condition in enumerate(model["conditions"]):
        value = getattr(looks, f"slider_{i}")
        if condition["choices"] or condition["switch"]:
            if value != ANY:
                sliders[condition["name"]] = value
        elif getattr(looks, f"use_{i}"):
            # Blender stores float32, which can exceed the range slightly.
            sliders[condition["name"]] = min(max(round(value, 6), condition["low"]), condition["high"])
    for i, setting in enumerate(model["settings"]):
        value = getattr(looks, f"setting_{i}")
        if value != setting["default"]:
            settings[setting["name"]] = round(value, 6) if isinstance(value, float) else value
    return {"sliders": sliders, "settings": settings}
