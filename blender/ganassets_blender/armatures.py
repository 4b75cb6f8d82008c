"""Retarget a clip to a user's armature: a humanoid with known bone names, or a rig that Rigify has generated.

The add-on describes the armature in a JSON file:

    {"name": "Armature", "bones": [
        {"name": "Hips", "parent": -1, "matrix": [...], "connected": false, "inherits": true}, ...
    ]}

parent: index of an earlier bone, -1 for none. matrix: 16 numbers, row by row, of the bone's rest matrix in armature
space (`matrix_local`). connected: whether the bone is fixed to its parent's tail, so that it can't move. inherits:
whether it inherits its parent's rotation. The unit, the up axis and the front of the armature don't matter.

In a generated Rigify rig, constraints make the bones follow controls, so the controls get the keyframes: FK controls
for all limbs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganassets.api.assets import MotionClip
from ganassets.api.errors import InputError
from ganassets.api.files import read_limited
from ganassets.api.motion.retarget import to_skeleton
from ganassets.api.motion.rigs import RIGIFY_CONTROLS, match_bones, missing_joints
from ganassets.api.motion.rotations import conjugate, from_matrix, make_continuous, multiply, rotate
from ganassets.api.motion.take import Take

MAX_BONES, MAX_BYTES, MAX_NAME_LENGTH = 2000, 4 * 2**20, 255
# Largest absolute value in a matrix.
MAX_NUMBER = 1e9
MAX_SHEAR = 1e-2  # deviation of a bone's matrix from a rotation with a uniform scale
W_FIRST = (3, 0, 1, 2)
FloatArray = NDArray[np.floating]
IDENTITY = np.array([0.0, 0, 0, 1])

# In a rig that Rigify generates: the control that moves the whole body, and the properties (bone, name, value) that
# make limbs, neck and head follow the FK controls.
TORSO = "torso"
FK_PROPERTIES: tuple[tuple[str, str, float], ...] = (
    ("torso", "neck_follow", 1.0),
    ("torso", "head_follow", 1.0),
    *(
        (f"{limb}_parent.{side}", name, value)
        for limb in ("upper_arm", "thigh")
        for side in ("L", "R")
        for name, value in (("IK_FK", 1.0), ("FK_limb_follow", 0.0))
    ),
)
# Prefix of bones that copy the control of the same name; the control may have the suffix before its side.
COPY_PREFIX, FK_SUFFIX = "ORG-", "_fk"

Text = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]


class ArmatureBone(BaseModel):
    """A bone in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    parent: int = Field(ge=-1)
    matrix: tuple[Number, ...] = Field(min_length=16, max_length=16)
    connected: bool = False
    inherits: bool = True


class ArmatureFile(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    bones: tuple[ArmatureBone, ...] = Field(min_length=1, max_length=MAX_BONES)


@dataclass(frozen=True)
class Armature:
    """An armature at rest.

    Attributes:
        name: name in Blender.
        bones: bones by name; a parent comes before its children.
        parents: name of each bone's parent, or "".
        heads: (3,) position of each bone's head.
        rotations: (4,) rotation of each bone.
    """

    name: str
    bones: Mapping[str, ArmatureBone]
    parents: Mapping[str, str]
    heads: Mapping[str, FloatArray]
    rotations: Mapping[str, FloatArray]

    @cached_property
    def is_generated(self) -> bool:
        """Return whether Rigify has generated the armature."""
        return TORSO in self.bones and not missing_joints(match_bones(list(self.bones), rigs=[RIGIFY_CONTROLS]))

    def humanoid(self) -> dict[str, str]:
        """Bones that get keyframes, by joint of the humanoid; InputError if bones are missing."""
        found = (
            match_bones(list(self.bones), rigs=[RIGIFY_CONTROLS])
            if self.is_generated
            else match_bones(list(self.bones))
        )
        missing = missing_joints(found)
        if missing:
            raise InputError(
                f"{self.name} is not a known humanoid: it has no bone for {', '.join(missing)}; name its bones as in "
                "Mixamo, Rigify or VRM."
            )
        return found

    def mover(self, hips: str) -> str:
        """The bone whose location moves the hips: the hips bone, or the first parent that is not connected."""
        if self.is_generated:
            return TORSO
        while self.bones[hips].connected and self.parents[hips]:
            hips = self.parents[hips]
        return hips

    def keyed_parent(self, bone: str, keyed: Mapping[str, Any]) -> str:
        """The nearest bone with keyframes whose rotation a bone inherits; "" if there is none."""
        while bone and self.bones[bone].inherits:
            bone = self.parents[bone]
            for name in (bone, *copied_controls(bone)):
                if name in keyed:
                    return name
        return ""


def copied_controls(bone: str) -> tuple[str, ...]:
    """Possible names of the control that a bone of Rigify copies."""
    if not bone.startswith(COPY_PREFIX):
        return ()
    name = bone.removeprefix(COPY_PREFIX)
    stem, dot, side = name.partition(".")
    return name, f"{stem}{FK_SUFFIX}{dot}{side}"


def read_armature(path: Path) -> Armature:
    """Read an armature's file; InputError if it is damaged."""
    try:
        return make_armature(ArmatureFile.model_validate(json.loads(read_limited(path, MAX_BYTES, "an armature"))))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        raise InputError(f"{path} does not describe an armature ({place}: {first['msg']}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} does not describe an armature: it isn't JSON.") from error


def make_armature(file: ArmatureFile) -> Armature:
    """Make an armature from its file; InputError if its bones are invalid."""
    bones = {bone.name: bone for bone in file.bones}
    if len(bones) < len(file.bones):
        raise InputError(f"{file.name} has two bones with the same name.")
    if any(bone.parent >= number for number, bone in enumerate(file.bones)):
        raise InputError(f"{file.name} has a bone that comes before its parent.")
    matrices = np.array([bone.matrix for bone in file.bones]).reshape(-1, 4, 4)
    scales = np.cbrt(np.linalg.det(matrices[:, :3, :3]))
    if not (scales > 0).all():
        raise InputError(f"{file.name} has bones that are mirrored or have no size; apply its scale.")
    axes = matrices[:, :3, :3] / scales[:, None, None]
    if np.abs(axes @ axes.swapaxes(1, 2) - np.eye(3)).max() > MAX_SHEAR:
        raise InputError(f"{file.name} has bones that are scaled unevenly; apply its scale.")
    return Armature(
        file.name,
        bones,
        {bone.name: file.bones[bone.parent].name if bone.parent >= 0 else "" for bone in file.bones},
        dict(zip(bones, matrices[:, :3, 3], strict=True)),
        dict(zip(bones, from_matrix(axes), strict=True)),
    )


def retarget(clip: MotionClip, armature: Armature) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Retarget a clip to an armature.

    Returns:
        Fields of the clip's card: "bones" that rotate, "moved" bones, and "custom" properties to set (bone, name,
        value); and its arrays: (f, k, 3) "locations" of the moved bones in the armature's unit, (f, j, 4) "rotations".

    Raises:
        InputError: the armature is not a known humanoid, or does not stand upright at rest.
    """
    humanoid = armature.humanoid()
    take = to_skeleton(clip, rest_take(armature, list(humanoid.values())), humanoid)
    rotated = dict(zip(take.names, np.moveaxis(take.rotations, 1, 0), strict=True))
    rotations = {bone: rotated[bone] for joint, bone in humanoid.items() if joint in clip.skeleton.names}
    hips = humanoid["hips"]
    mover = armature.mover(hips)
    if mover not in rotations:  # Rigify's torso control rotates with the hips, other parents don't
        since = multiply(rotations[hips], conjugate(armature.rotations[hips])) if armature.is_generated else IDENTITY
        rotations[mover] = np.broadcast_to(multiply(since, armature.rotations[mover]), (len(clip), 4))
    pose = ArmaturePose(armature, rotations)
    keyed = [name for name in armature.bones if name in rotations]
    shift = take.positions[:, take.names.index(hips)] - pose.head(hips)
    back = conjugate(pose.inherited_rotation(mover))
    card = {
        "target": True,
        "bones": keyed,
        "moved": [mover],
        "custom": [list(row) for row in FK_PROPERTIES if armature.is_generated and row[0] in armature.bones],
    }
    channels = np.stack([multiply(conjugate(pose.inherited_rotation(name)), rotations[name]) for name in keyed], 1)
    return card, {
        "locations": rotate(back, shift)[:, None].astype(np.float32),
        "rotations": make_continuous(channels)[..., W_FIRST].astype(np.float32),
    }


def rest_take(armature: Armature, names: Sequence[str]) -> Take:
    """A take of one frame with some of an armature's bones at rest, without parents."""
    heads, rotations = (
        np.stack([values[name] for name in names]).astype(np.float64) for values in (armature.heads, armature.rotations)
    )
    parents = (-1,) * len(names)
    return Take(armature.name, tuple(names), parents, heads, rotations, 1.0, heads[None], rotations[None])


@dataclass(frozen=True)
class ArmaturePose:
    """An armature whose bones are rotated but not moved.

    Attributes:
        armature: the armature at rest.
        rotations: (f, 4) rotations of the bones with keyframes, by name.
    """

    armature: Armature
    rotations: Mapping[str, FloatArray]

    def rotation_since_rest(self, bone: str) -> FloatArray:
        """Return the (f, 4) rotations of a bone relative to its rest pose; the identity for ""."""
        if not bone:
            return np.broadcast_to(IDENTITY, next(iter(self.rotations.values())).shape)
        return multiply(self.rotations[bone], conjugate(self.armature.rotations[bone]))

    def inherited_rotation(self, bone: str) -> FloatArray:
        """Return the (f, 4) rotations of a bone without its own keyframes."""
        parent = self.armature.keyed_parent(bone, self.rotations)
        return multiply(self.rotation_since_rest(parent), self.armature.rotations[bone])

    def head(self, bone: str) -> FloatArray:
        """Return the (f, 3) positions of a bone's head."""
        heads, parent = self.armature.heads, self.armature.keyed_parent(bone, self.rotations)
        if not parent:
            return np.broadcast_to(heads[bone], self.rotation_since_rest("")[:, :3].shape)
        return self.head(parent) + rotate(self.rotation_since_rest(parent), heads[bone] - heads[parent])
