"""A clip on an armature of the user's: any humanoid whose bones' names are known, or a rig that Rigify generated.

The add-on tells in a JSON file what must be known of the armature:

    {"name": "Armature", "bones": [
        {"name": "Hips", "parent": -1, "matrix": [...], "connected": false, "inherits": true}, ...
    ]}

parent: index of a bone that stands before, -1 for none. matrix: 16 numbers row by row of the bone at rest in the space
of the armature (`matrix_local`), in any unit. connected: whether it sticks to its parent's end, so that it can't move.
inherits: whether it turns with its parent. The unit and the axis that is up don't matter, nor which way it faces.

The bones of a generated Rigify rig follow its controls by constraints, so those are keyed: FK for all limbs.
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

MOST_BONES, MOST_BYTES, LONGEST_NAME = 2000, 4 * 2**20, 255
FARTHEST = 1e9  # of any unit
SHEAR = 1e-2  # how far from a turn and a scale a bone's matrix may be
W_FIRST = (3, 0, 1, 2)
FloatArray = NDArray[np.floating]
NO_TURN = np.array([0.0, 0, 0, 1])

# Of a rig that Rigify generates: what moves all of it, and what makes limbs, neck and head follow the FK controls.
MOVER = "torso"
SETTINGS: tuple[tuple[str, str, float], ...] = (
    ("torso", "neck_follow", 1.0),
    ("torso", "head_follow", 1.0),
    *(
        (f"{limb}_parent.{side}", name, value)
        for limb in ("upper_arm", "thigh")
        for side in ("L", "R")
        for name, value in (("IK_FK", 1.0), ("FK_limb_follow", 0.0))
    ),
)
COPIES, FK = "ORG-", "_fk"  # bones that copy a control of the same name, perhaps with this before the side

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Number = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]


class Bone(BaseModel):
    """One bone of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    parent: int = Field(ge=-1)
    matrix: tuple[Number, ...] = Field(min_length=16, max_length=16)
    connected: bool = False
    inherits: bool = True


class File(BaseModel):
    """All of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    bones: tuple[Bone, ...] = Field(min_length=1, max_length=MOST_BONES)


@dataclass(frozen=True)
class Armature:
    """An armature at rest.

    Attributes:
        name: the user's.
        bones: by name; a parent stands before its children.
        parents: the name of each bone's parent, or "".
        places: (3,) where each begins.
        turns: (4,) rotation of each.
    """

    name: str
    bones: Mapping[str, Bone]
    parents: Mapping[str, str]
    places: Mapping[str, FloatArray]
    turns: Mapping[str, FloatArray]

    @cached_property
    def generated(self) -> bool:
        """Whether Rigify generated it."""
        return MOVER in self.bones and not missing_joints(match_bones(list(self.bones), rigs=[RIGIFY_CONTROLS]))

    def humanoid(self) -> dict[str, str]:
        """Joint of the humanoid -> bone that is keyed; InputError naming what is missing."""
        found = (
            match_bones(list(self.bones), rigs=[RIGIFY_CONTROLS]) if self.generated else match_bones(list(self.bones))
        )
        missing = missing_joints(found)
        if missing:
            raise InputError(
                f"{self.name} is no known humanoid: it has no bone for {', '.join(missing)}; name its bones as Mixamo, "
                "Rigify or VRM do."
            )
        return found

    def mover(self, hips: str) -> str:
        """The bone whose location moves the hips: themselves, if they aren't held by a parent."""
        if self.generated:
            return MOVER
        while self.bones[hips].connected and self.parents[hips]:
            hips = self.parents[hips]
        return hips

    def above(self, bone: str, keyed: Mapping[str, Any]) -> str:
        """The nearest keyed bone that a bone turns with, or "" for none."""
        while bone and self.bones[bone].inherits:
            bone = self.parents[bone]
            for name in (bone, *copied(bone)):
                if name in keyed:
                    return name
        return ""


def copied(bone: str) -> tuple[str, ...]:
    """Names of the controls that one of Rigify's bones may copy."""
    if not bone.startswith(COPIES):
        return ()
    name = bone.removeprefix(COPIES)
    stem, dot, side = name.partition(".")
    return name, f"{stem}{FK}{dot}{side}"


def read_armature(path: Path) -> Armature:
    """The armature that a file tells of; InputError where it is broken."""
    try:
        return armature_of(File.model_validate(json.loads(read_limited(path, MOST_BYTES, "an armature"))))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "top level"
        raise InputError(f"{path} tells of no armature ({place}: {first['msg']}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} tells of no armature: it isn't JSON.") from error


def armature_of(file: File) -> Armature:
    """An armature; InputError where its bones can't be ones."""
    bones = {bone.name: bone for bone in file.bones}
    if len(bones) < len(file.bones):
        raise InputError(f"{file.name} has two bones of one name.")
    if any(bone.parent >= number for number, bone in enumerate(file.bones)):
        raise InputError(f"{file.name} has a bone that stands before its parent.")
    matrices = np.array([bone.matrix for bone in file.bones]).reshape(-1, 4, 4)
    scales = np.cbrt(np.linalg.det(matrices[:, :3, :3]))
    if not (scales > 0).all():
        raise InputError(f"{file.name} has bones that are mirrored or have no size; apply its scale.")
    axes = matrices[:, :3, :3] / scales[:, None, None]
    if np.abs(axes @ axes.swapaxes(1, 2) - np.eye(3)).max() > SHEAR:
        raise InputError(f"{file.name} has bones that are scaled unevenly; apply its scale.")
    return Armature(
        file.name,
        bones,
        {bone.name: file.bones[bone.parent].name if bone.parent >= 0 else "" for bone in file.bones},
        dict(zip(bones, matrices[:, :3, 3], strict=True)),
        dict(zip(bones, from_matrix(axes), strict=True)),
    )


def put_on(clip: MotionClip, armature: Armature) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A clip as pose channels of an armature.

    Returns:
        what its card says: "bones" that turn, "moved" ones, "custom" properties to be set, as (bone, property, value);
        and the arrays: (f, k, 3) "locations" of the moved bones in the armature's unit, (f, j, 4) "rotations".

    Raises:
        InputError: no humanoid is recognised in the armature, or it doesn't stand upright at rest.
    """
    humanoid = armature.humanoid()
    there = to_skeleton(clip, target_of(armature, list(humanoid.values())), humanoid)
    turned = dict(zip(there.names, np.moveaxis(there.rotations, 1, 0), strict=True))
    turns = {bone: turned[bone] for joint, bone in humanoid.items() if joint in clip.skeleton.names}
    hips = humanoid["hips"]
    mover = armature.mover(hips)
    if mover not in turns:  # turns with the hips where that is what it's for
        since = multiply(turns[hips], conjugate(armature.turns[hips])) if armature.generated else NO_TURN
        turns[mover] = np.broadcast_to(multiply(since, armature.turns[mover]), (len(clip), 4))
    posed = Posed(armature, turns)
    keyed = [name for name in armature.bones if name in turns]
    shift = there.positions[:, there.names.index(hips)] - posed.place(hips)
    back = conjugate(posed.carried(mover))
    card = {
        "target": True,
        "bones": keyed,
        "moved": [mover],
        "custom": [list(row) for row in SETTINGS if armature.generated and row[0] in armature.bones],
    }
    rotations = np.stack([multiply(conjugate(posed.carried(name)), turns[name]) for name in keyed], 1)
    return card, {
        "locations": rotate(back, shift)[:, None].astype(np.float32),
        "rotations": make_continuous(rotations)[..., W_FIRST].astype(np.float32),
    }


def target_of(armature: Armature, names: Sequence[str]) -> Take:
    """Some of an armature's bones at rest, each for itself."""
    places, turns = (
        np.stack([values[name] for name in names]).astype(np.float64) for values in (armature.places, armature.turns)
    )
    return Take(armature.name, tuple(names), (-1,) * len(names), places, turns, 1.0, places[None], turns[None])


@dataclass(frozen=True)
class Posed:
    """An armature whose keyed bones have turned, and which has not been moved.

    Attributes:
        armature: at rest.
        turns: (f, 4) rotations of the keyed bones, by name.
    """

    armature: Armature
    turns: Mapping[str, FloatArray]

    def since_rest(self, bone: str) -> FloatArray:
        """(f, 4) how a keyed bone has turned; of "" not at all."""
        if not bone:
            return np.broadcast_to(NO_TURN, next(iter(self.turns.values())).shape)
        return multiply(self.turns[bone], conjugate(self.armature.turns[bone]))

    def carried(self, bone: str) -> FloatArray:
        """(f, 4) rotation that a bone has from the bones above alone."""
        return multiply(self.since_rest(self.armature.above(bone, self.turns)), self.armature.turns[bone])

    def place(self, bone: str) -> FloatArray:
        """(f, 3) where a bone begins."""
        places, above = self.armature.places, self.armature.above(bone, self.turns)
        if not above:
            return np.broadcast_to(places[bone], self.since_rest("")[:, :3].shape)
        return self.place(above) + rotate(self.since_rest(above), places[bone] - places[above])
