# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Clips and poses: actions, and figures that they move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from . import common, figures
from .common import Card, Steps

START = 1.0  # frame of the first key
LINEAR = 1  # of Blender's interpolations
QUATERNION, AXIS_ANGLE = "QUATERNION", "AXIS_ANGLE"
PATHS = {QUATERNION: "rotation_quaternion", AXIS_ANGLE: "rotation_axis_angle"}  # else rotation_euler


def build(
    card: Card,
    folder: str,
    pack: bool,
    author: str,
    licence: str,
    armature: Any = None,
    fps: float | None = None,
    start: float = START,
) -> Steps[tuple[Any, Any]]:
    """A clip's action, and what it moves.

    Args:
        card: of motion.
        folder: where its files are; absolute.
        pack: has no effect: clips have no pictures.
        author: who made it; may be empty.
        licence: what it may be used for; empty for the card's.
        armature: the object that is to move; None to make one with a figure.
        fps: frames a second of the scene, in which the clip lasts as long as it was made; None for the clip's own.
        start: frame of the first key.

    Returns:
        The action, and the collection with the armature and its figure, linked to no scene, or None if one was
        given.

    Raises:
        LandingError: a file can't be read, the armature can't be animated or lacks a bone, or the clip is made for one
            and none is given.
    """
    with common.whole_or_gone() as made:
        collection = None
        if armature is None:
            if card.get("target"):
                raise common.LandingError(f"{card['title']} is made for an armature; choose one.")
            collection = yield from figures.build_figure(card, folder, pack)
            armature = next(thing for thing in collection.objects if thing.type == "ARMATURE")
            armature.show_in_front = True
            made += [collection, *collection.objects]
            for part in (collection, *collection.objects):
                common.stamp(part, card, author, licence)
        else:
            check(armature, card)
        modes = {bone.name: bone.rotation_mode for bone in armature.pose.bones}
        action = yield from build_action(card, folder, pack, author, licence, modes, fps, start)
        made.append(action)
        play(armature, action, card)
        yield
    return action, collection


def check(armature: Any, card: Card) -> None:
    """LandingError unless an armature can be animated and has the bones."""
    if armature.library:
        raise common.LandingError(f"{armature.name} is linked from another file; make a library override of it first.")
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise common.LandingError(f"a strip of {armature.name} is being tweaked; leave that in the NLA editor first.")
    wanted = (*card.get("moved", ()), *card["bones"])
    lacking = [name for name in wanted if name not in armature.data.bones]
    if lacking:
        raise common.LandingError(f"{armature.name} has no bone {lacking[0]}.")


def build_action(
    card: Card,
    folder: str,
    pack: bool,
    author: str,
    licence: str,
    modes: Mapping[str, str] | None = None,
    fps: float | None = None,
    start: float = START,
) -> Steps[Any]:
    """An action that moves whatever has the card's bones; a single frame is a pose.

    Args:
        card: of motion.
        folder: where its arrays are; absolute.
        pack: as in build.
        author: as in build.
        licence: as in build.
        modes: how bones turn, by name; others by quaternions.
        fps: as in build.
        start: as in build.

    Raises:
        LandingError: the arrays can't be read.
    """
    arrays = common.read_arrays(card, folder, "locations", "rotations")
    locations, rotations = arrays["locations"], arrays["rotations"]
    step = (fps or card["fps"]) / card["fps"]
    frames = (start + step * np.arange(len(rotations))).astype(np.float32)
    moved = card.get("moved", card["bones"][: locations.shape[1]])
    with common.whole_or_gone() as made:
        action = new_action(card["title"])
        made.append(action)
        for number, name in enumerate(moved):
            key(action, name, "location", frames, locations[:, number])
        yield
        for number, name in enumerate(card["bones"]):
            mode = (modes or {}).get(name, QUATERNION)
            key(action, name, PATHS.get(mode, "rotation_euler"), frames, turned(rotations[:, number], mode))
            yield
        if len(frames) > 1:
            action.use_frame_range = True
            action.frame_start, action.frame_end = frames[0], frames[-1]
            action.use_cyclic = card["loop"]
        common.stamp(action, card, author, licence)
        yield
    return action


def new_action(name: str) -> Any:
    """An action that keys can be added to."""
    action = bpy.data.actions.new(name)
    if hasattr(action, "slots"):  # since 4.4
        slot = action.slots.new("OBJECT", "Armature")
        action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    else:
        action.id_root = "OBJECT"
    return action


def channels(action: Any) -> Any:
    """What holds an action's curves and their groups."""
    return action.layers[0].strips[0].channelbags[0] if hasattr(action, "slots") else action


def key(action: Any, bone: str, path: str, frames: np.ndarray, values: np.ndarray) -> None:
    """Key a property of a bone.

    Args:
        action: from new_action.
        bone: name.
        path: the property.
        frames: (f,) float32.
        values: (f, n) float32.
    """
    held = channels(action)
    group = held.groups.get(bone) or held.groups.new(bone)
    for index, column in enumerate(values.T):
        curve = held.fcurves.new(f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{path}', index=index)
        curve.group = group
        points = curve.keyframe_points
        points.add(len(frames))
        points.foreach_set("co", np.stack([frames, column], -1).ravel())
        points.foreach_set("interpolation", np.full(len(frames), LINEAR, np.int32))
        curve.update()


def turned(rotations: np.ndarray, mode: str) -> np.ndarray:
    """(f, 4) quaternions, w first, as (f, n) values of a bone that turns in another way."""
    if mode == QUATERNION:
        return rotations
    turns = [Quaternion(row) for row in rotations.tolist()]
    if mode == AXIS_ANGLE:
        pairs = [turn.to_axis_angle() for turn in turns]
        return np.array([(angle, *axis) for axis, angle in pairs], np.float32)
    angles = [turns[0].to_euler(mode)]
    for turn in turns[1:]:
        angles.append(turn.to_euler(mode, angles[-1]))
    return np.array(angles, np.float32)


def play(armature: Any, action: Any, card: Card) -> None:
    """Let an armature perform an action, with its bones' properties as the card has them. What it performed before is
    kept in the file.
    """
    animation = armature.animation_data or armature.animation_data_create()
    if animation.action:
        animation.action.use_fake_user = True
    animation.action = action
    if hasattr(action, "slots"):
        animation.action_slot = action.slots[0]
    for bone, name, value in card.get("custom", ()):
        if name in armature.pose.bones[bone]:
            armature.pose.bones[bone][name] = value
