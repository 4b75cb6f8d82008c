# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportMissingImports=false
"""Build the actions of clips and poses, and the figures that they move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from . import common, rigged_meshes
from .common import Card, Steps

START = 1.0  # frame of the first keyframe
LINEAR = 1  # Blender's number of linear interpolation
QUATERNION, AXIS_ANGLE = "QUATERNION", "AXIS_ANGLE"
# Property with the rotation, by rotation mode; rotation_euler in all other modes.
ROTATION_PATHS = {QUATERNION: "rotation_quaternion", AXIS_ANGLE: "rotation_axis_angle"}


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
    """Build a clip's action and play it on an armature.

    Args:
        card: card of a clip.
        folder: absolute path of the folder with its files.
        pack: has no effect: clips have no images.
        author: author of the asset; may be empty.
        licence: licence of the asset; empty for the licence in the card.
        armature: armature object that plays the action; None to build one with a figure.
        fps: frames per second of the scene, for which the clip is scaled in time; None for the clip's own rate.
        start: frame of the first keyframe.

    Returns:
        The action, and the collection with the new armature and figure, linked to no scene (None if an armature was
        given).

    Raises:
        BuildError: a file can't be read, the armature can't be animated or lacks a bone, or the clip was retargeted to
            an armature and none is given.
    """
    with common.remove_on_error() as created:
        collection = None
        if armature is None:
            if card.get("target"):
                raise common.BuildError(f"{card['title']} was made for an armature; choose that armature.")
            collection = yield from rigged_meshes.build_rigged_mesh(card, folder, pack)
            armature = next(thing for thing in collection.objects if thing.type == "ARMATURE")
            armature.show_in_front = True
            created += [collection, *collection.objects]
            for block in (collection, *collection.objects):
                common.write_provenance(block, card, author, licence)
        else:
            check_armature(armature, card)
        modes = {bone.name: bone.rotation_mode for bone in armature.pose.bones}
        action = yield from build_action(card, folder, pack, author, licence, modes, fps, start)
        created.append(action)
        play_action(armature, action, card)
        yield
    return action, collection


def check_armature(armature: Any, card: Card) -> None:
    """Check that an armature can be animated and has a clip's bones.

    Raises:
        BuildError: it can't, or lacks a bone.
    """
    if armature.library:
        raise common.BuildError(f"{armature.name} is linked from another file; make a library override of it first.")
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise common.BuildError(
            f"a strip of {armature.name} is in tweak mode; leave tweak mode in the NLA editor first."
        )
    needed = (*card.get("moved", ()), *card["bones"])
    missing = [name for name in needed if name not in armature.data.bones]
    if missing:
        raise common.BuildError(f"{armature.name} has no bone {missing[0]}.")


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
    """Build the action of a clip, or of a pose if the card has a single frame.

    Args:
        card: card of a clip.
        folder: absolute path of the folder with its arrays.
        pack: as in build.
        author: as in build.
        licence: as in build.
        modes: rotation modes by bone; other bones use quaternions.
        fps: as in build.
        start: as in build.

    Raises:
        BuildError: the arrays can't be read.
    """
    arrays = common.read_arrays(card, folder, "locations", "rotations")
    locations, rotations = arrays["locations"], arrays["rotations"]
    step = (fps or card["fps"]) / card["fps"]
    frames = (start + step * np.arange(len(rotations))).astype(np.float32)
    moved = card.get("moved", card["bones"][: locations.shape[1]])
    with common.remove_on_error() as created:
        action = new_action(card["title"])
        created.append(action)
        for number, name in enumerate(moved):
            insert_keyframes(action, name, "location", frames, locations[:, number])
        yield
        for number, name in enumerate(card["bones"]):
            mode = (modes or {}).get(name, QUATERNION)
            insert_keyframes(
                action,
                name,
                ROTATION_PATHS.get(mode, "rotation_euler"),
                frames,
                convert_rotations(rotations[:, number], mode),
            )
            yield
        if len(frames) > 1:
            action.use_frame_range = True
            action.frame_start, action.frame_end = frames[0], frames[-1]
            action.use_cyclic = card["loop"]
        common.write_provenance(action, card, author, licence)
        yield
    return action


def new_action(name: str) -> Any:
    """Create an action that keyframes can be inserted into."""
    action = bpy.data.actions.new(name)
    if hasattr(action, "slots"):  # since Blender 4.4
        slot = action.slots.new("OBJECT", "Armature")
        action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    else:
        action.id_root = "OBJECT"
    return action


def get_channels(action: Any) -> Any:
    """The object that holds an action's F-curves and their groups."""
    return action.layers[0].strips[0].channelbags[0] if hasattr(action, "slots") else action


def insert_keyframes(action: Any, bone: str, path: str, frames: np.ndarray, values: np.ndarray) -> None:
    """Insert keyframes for a property of a bone.

    Args:
        action: from new_action.
        bone: name of the bone.
        path: name of the property.
        frames: (f,) float32.
        values: (f, n) float32.
    """
    channels = get_channels(action)
    group = channels.groups.get(bone) or channels.groups.new(bone)
    for index, column in enumerate(values.T):
        curve = channels.fcurves.new(f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{path}', index=index)
        curve.group = group
        points = curve.keyframe_points
        points.add(len(frames))
        points.foreach_set("co", np.stack([frames, column], -1).ravel())
        points.foreach_set("interpolation", np.full(len(frames), LINEAR, np.int32))
        curve.update()


def convert_rotations(rotations: np.ndarray, mode: str) -> np.ndarray:
    """Convert (f, 4) quaternions (w, x, y, z) to (f, n) values for a rotation mode."""
    if mode == QUATERNION:
        return rotations
    quaternions = [Quaternion(row) for row in rotations.tolist()]
    if mode == AXIS_ANGLE:
        pairs = [quaternion.to_axis_angle() for quaternion in quaternions]
        return np.array([(angle, *axis) for axis, angle in pairs], np.float32)
    angles = [quaternions[0].to_euler(mode)]
    for quaternion in quaternions[1:]:
        angles.append(quaternion.to_euler(mode, angles[-1]))  # compatible with the frame before
    return np.array(angles, np.float32)


def play_action(armature: Any, action: Any, card: Card) -> None:
    """Play an action on an armature, and set the bone properties in the card.

    The previous action stays in the file.
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
