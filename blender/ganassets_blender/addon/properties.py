# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false, reportInvalidTypeForm=false
"""What the panel shows and the user sets. Kept by the window manager: no part of undo."""

import contextlib
import random
from typing import Any

import bpy

from . import jobs, models

ANY = "ANY"
SIZES = (256, 512, 1024, 2048)
CUSTOM = "CUSTOM"
STEP = 16  # pixels
RANGE, RANDOM, PICKED = "RANGE", "RANDOM", "PICKED"
MOST_SEED = 2**31 - 1
RIGS = (
    ("mixamo", "Mixamo", "mixamorig:Hips and so on"),
    ("rigify", "Rigify", "the deform bones of Rigify"),
    ("unreal", "Unreal", "Unreal's mannequin"),
    ("unity", "Unity", "Mecanim's names"),
    ("godot", "Godot", "SkeletonProfileHumanoid"),
    ("vrm", "VRM", "VRM 1.0"),
)
TARGETS = (
    (jobs.LIBRARY, "Asset Library", "Add them to an asset library; nothing in this file changes", "ASSET_MANAGER", 0),
    (jobs.GRID, "Grid in Scene", "Place them in a grid at the 3D cursor", "GRID", 1),
    (
        jobs.APPLY,
        "Selected Objects",
        "Give materials to the selected objects, or a clip to the active armature",
        "RESTRICT_SELECT_OFF",
        2,
    ),
)


def model_items(self: Any, context: Any) -> list[tuple[str, str, str, str, int]]:
    """The models to choose from."""
    return models.ITEMS


def model_chosen(self: Any, context: Any) -> None:
    """Thumbnails and picks are of the model that was chosen before."""
    self.picked = ""


class GANASSETS_State(bpy.types.PropertyGroup):
    """Everything that doesn't depend on the model."""

    model: bpy.props.EnumProperty(
        name="Model", description="What makes the assets", items=model_items, update=model_chosen
    )
    seed_mode: bpy.props.EnumProperty(
        name="Seeds",
        description="One seed is one asset, always the same",
        items=(
            (RANGE, "List", "Seeds such as 1-200 or 3,7,20-30"),
            (RANDOM, "Random", "So many seeds at random"),
            (PICKED, "Picked", "The seeds that were picked among the thumbnails"),
        ),
    )
    seeds: bpy.props.StringProperty(name="Seeds", description="Such as 1-200 or 3,7,20-30", default="1-50")
    count: bpy.props.IntProperty(name="Count", description="How many", default=50, min=1, max=100_000)
    picked: bpy.props.StringProperty(name="Picked", description="Seeds that were picked")
    truncation: bpy.props.FloatProperty(
        name="Variety",
        description="Truncation: 0 is the average every time, 1 is all the model has learnt",
        default=0.85,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    size: bpy.props.EnumProperty(
        name="Size",
        description="Pixels of a texture",
        items=[(str(side), f"{side} px", f"{side} by {side} pixels") for side in SIZES]
        + [(CUSTOM, "Custom", "Width and height of your own")],
        default="512",
    )
    width: bpy.props.IntProperty(name="Width", description="Pixels", default=1024, min=STEP, max=8192, step=STEP)
    height: bpy.props.IntProperty(name="Height", description="Pixels", default=512, min=STEP, max=8192, step=STEP)
    target: bpy.props.EnumProperty(name="Into", description="What becomes of the assets", items=TARGETS)
    rig: bpy.props.EnumProperty(name="Bones", description="Names and rest pose of a clip's bones", items=RIGS)
    in_place: bpy.props.BoolProperty(name="In place", description="The figure doesn't travel")
    first: bpy.props.IntProperty(name="First", description="Seed of the first thumbnail", default=1, min=0)

    def size_text(self, most: int = 0) -> str:
        """As a job has it; with sides of so many pixels at most, if any."""
        sides = (self.width, self.height) if self.size == CUSTOM else (int(self.size),)
        if most and max(sides) > most:
            sides = [max(STEP, side * most // max(sides) // STEP * STEP) for side in sides]
        return "x".join(map(str, sides))

    def seed_list(self) -> dict[str, Any]:
        """The part of a job that says which seeds."""
        if self.seed_mode == RANDOM:
            return {"count": self.count, "seed": random.randrange(MOST_SEED - self.count)}
        return {"seeds": self.picked if self.seed_mode == PICKED else self.seeds}


def clip_options(chosen: Any) -> dict[str, str]:
    """What a job of clips has of the properties `rig` and `in_place`, the panel's or a script's."""
    return {"rig": chosen.rig, "root": "in-place" if chosen.in_place else "motion"}


def values_of(group: Any) -> dict[str, Any]:
    """All properties of a group by name."""
    names = [one.identifier for one in group.bl_rna.properties]
    return {name: getattr(group, name) for name in names if name not in ("rna_type", "name")}


def set_values(group: Any, values: dict[str, Any]) -> None:
    """Set properties of a group, but for choices that there aren't any more, such as a model."""
    for name, value in values.items():
        with contextlib.suppress(TypeError):
            setattr(group, name, value)


def looks_class(model: dict[str, Any]) -> type:
    """A class of properties for a model's sliders and settings, with their ranges, units and help.

    Sliders that aren't used are left to the seed, as likely combinations of the data.
    """
    notes: dict[str, Any] = {}
    for i, condition in enumerate(model["conditions"]):
        label, text = label_of(condition["name"]), condition["help"]
        if condition["choices"] or condition["switch"]:
            choices = condition["choices"] or ["yes", "no"]
            items = [(ANY, "Any", "Whatever the seed draws"), *((name, label_of(name), text) for name in choices)]
            notes[f"slider_{i}"] = bpy.props.EnumProperty(name=label, description=text, items=items)
        else:
            low, high = condition["low"], condition["high"]
            unit = f" ({condition['unit']})" if condition["unit"] else ""
            notes[f"use_{i}"] = bpy.props.BoolProperty(name=f"Set {label}", description="Otherwise the seed draws it")
            notes[f"slider_{i}"] = bpy.props.FloatProperty(
                name=label + unit, description=text, min=low, max=high, default=(low + high) / 2, precision=2
            )
    for i, setting in enumerate(model["settings"]):
        notes[f"setting_{i}"] = setting_property(setting)
    return type("GANASSETS_Looks", (bpy.types.PropertyGroup,), {"__annotations__": notes})


def setting_property(setting: dict[str, Any]) -> Any:
    """The property of one setting."""
    words = {"name": label_of(setting["name"]), "description": setting["help"], "default": setting["default"]}
    if setting["choices"]:
        return bpy.props.EnumProperty(**words, items=[(name, label_of(name), "") for name in setting["choices"]])
    bounds = {key: setting[at] for key, at in (("min", "low"), ("max", "high")) if setting[at] is not None}
    if setting["type"] in ("int", "float"):
        numbers = {"int": (bpy.props.IntProperty, int), "float": (bpy.props.FloatProperty, float)}
        make, cast = numbers[setting["type"]]
        return make(**words, **{key: cast(value) for key, value in bounds.items()})
    return {"bool": bpy.props.BoolProperty, "str": bpy.props.StringProperty}[setting["type"]](**words)


def label_of(name: str) -> str:
    """ "Skin tone" of "skin_tone"."""
    return name.replace("_", " ").replace("-", " ").capitalize()


def looks_of(model: dict[str, Any], looks: Any) -> dict[str, Any]:
    """What a job has of the sliders and settings that the user set.

    Args:
        model: its description.
        looks: of looks_class.
    """
    sliders: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for i, condition in enumerate(model["conditions"]):
        value = getattr(looks, f"slider_{i}")
        if condition["choices"] or condition["switch"]:
            if value != ANY:
                sliders[condition["name"]] = value
        elif getattr(looks, f"use_{i}"):
            # A slider's float32 may lie beyond its end by a bit.
            sliders[condition["name"]] = min(max(round(value, 6), condition["low"]), condition["high"])
    for i, setting in enumerate(model["settings"]):
        value = getattr(looks, f"setting_{i}")
        if value != setting["default"]:
            settings[setting["name"]] = round(value, 6) if isinstance(value, float) else value
    return {"sliders": sliders, "settings": settings}
