"""Bone names of common rigs, and recognition of a file's bones as joints of the humanoid.

The names are those of the tools: Mixamo, Blender's Rigify, Unreal's mannequin, Unity's Mecanim, VRM 1.0, Godot's
SkeletonProfileHumanoid, MakeHuman, the motion databases of CMU and ACCAD, and widely used asset packs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import InputError
from .skeletons import FINGERS, HUMANOID_FINGERS, MIDDLE, SIDE

REQUIRED = (
    "hips",
    *(
        f"{side}{part}"
        for side in ("left", "right")
        for part in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm")
    ),
)
ONE_OF = ("head", "neck")  # required: at least one of these
NONE = "-"
TRAILING_NUMBER = re.compile(r"_\d+$")
SHOWN = 12  # most names in an error


@dataclass(frozen=True)
class Rig:
    """A family of rigs with the same bone names.

    Attributes:
        bones: joint of the humanoid -> spellings of its bone; the first is the one to write.
        prefix: Written before every bone's name; any prefix is read.
        pose: Arms at rest: "T" out to the sides, "A" 45 degrees down.
        axes: Axes of written bones in the T-pose: "world" for the world's, "x" or "y" that axis along the bone, or ""
            for rigs that are only read.
        root: Name of a joint on the ground above the hips, or "" for none.
    """

    bones: Mapping[str, tuple[str, ...]]
    prefix: str = ""
    pose: str = "T"
    axes: str = ""
    root: str = ""

    def bone_name(self, joint: str) -> str:
        """Return the name to write for a joint's bone."""
        return self.prefix + self.bones[joint][0]

    @cached_property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """Joint -> its spellings without the prefix, as they are compared."""
        return {joint: tuple(map(_key, spellings)) for joint, spellings in self.bones.items()}


def _bones(
    sides: str, middle: str, limbs: str, finger: str = "", fingers: str = "", thumb: str = "", parts: str = ""
) -> dict[str, tuple[str, ...]]:
    """Make a table joint -> spellings from words separated by blanks; spellings of one bone are separated by "/".

    Args:
        sides: The words for left and right.
        middle: Bones of MIDDLE in its order, "-" for none.
        limbs: Bones of SIDE in its order, with {side}.
        finger: Pattern of a finger's bone with {side}, {finger} and {part}.
        fingers: The words for thumb, index, middle, ring and little finger.
        thumb: The words for the thumb's three bones.
        parts: The words for the three bones of another finger; the thumb's where empty.
    """
    found = {name: word for (name, _, _), word in zip(MIDDLE, middle.split(), strict=True)}
    for side, word in zip(("left", "right"), sides.split(), strict=True):
        for (name, _, _), limb in zip(SIDE, limbs.split(), strict=True):
            found[side + name] = limb.format(side=word)
        for (name, bones, *_), spoken in zip(FINGERS, fingers.split(), strict=bool(finger)):
            numbers = thumb if name == "Thumb" else parts or thumb
            for bone, part in zip(bones, numbers.split(), strict=False):
                found[f"{side}{name}{bone}"] = finger.format(side=word, finger=spoken, part=part)
    return {joint: tuple(words.split("/")) for joint, words in found.items() if words != NONE}


VRM_LIMBS = (
    "{side}Shoulder {side}UpperArm {side}LowerArm {side}Hand {side}UpperLeg {side}LowerLeg {side}Foot {side}Toes"
)
VRM_FINGERS = ("Thumb Index Middle Ring Little", "Metacarpal Proximal Distal", "Proximal Intermediate Distal")
MECANIM = "Proximal Intermediate Distal"
MIXAMO_LIMBS = (
    "{side}Shoulder {side}Arm {side}ForeArm {side}Hand {side}UpLeg {side}Leg {side}Foot {side}ToeBase/{side}Toes"
)
MIXAMO_FINGERS = ("{side}Hand{finger}{part}", "Thumb Index Middle Ring Pinky", "1 2 3")
RIGIFY_LIMBS = (
    "shoulder.{side} upper_arm.{side} forearm.{side} hand.{side} thigh.{side} shin.{side} foot.{side} toe.{side}"
)
RIGIFY_FINGERS = ("{finger}.{part}.{side}", "thumb f_index f_middle f_ring f_pinky", "01 02 03")
BVH_LIMBS = (
    "{side}Collar {side}Shoulder {side}Elbow {side}Wrist/{side}Hand "
    "{side}Hip {side}Knee {side}Ankle {side}Toe/{side}Foot"
)

RIGS: dict[str, Rig] = {
    "vrm": Rig(
        _bones(
            "left right",
            "hips spine chest upperChest neck head",
            VRM_LIMBS,
            "{side}{finger}{part}",
            *VRM_FINGERS,
        ),
        axes="world",
    ),
    "godot": Rig(
        _bones("Left Right", "Hips Spine Chest UpperChest Neck Head", VRM_LIMBS, "{side}{finger}{part}", *VRM_FINGERS),
        axes="y",
        root="Root",
    ),
    "unity": Rig(
        _bones(
            "Left Right",
            "Hips Spine Chest UpperChest Neck Head",
            VRM_LIMBS,
            "{side} {finger} {part}",
            VRM_FINGERS[0],
            MECANIM,  # the names of the thumb's bones are shifted by one against VRM's
        ),
        axes="world",
    ),
    "mixamo": Rig(
        _bones("Left Right", "Hips Spine Spine1 Spine2 Neck Head", MIXAMO_LIMBS, *MIXAMO_FINGERS),
        prefix="mixamorig:",
        axes="y",
    ),
    "unreal": Rig(
        _bones(
            "l r",
            "pelvis spine_01 spine_02 spine_03 neck_01 head",
            "clavicle_{side} upperarm_{side} lowerarm_{side} hand_{side} "
            "thigh_{side} calf_{side} foot_{side} ball_{side}",
            "{finger}_{part}_{side}",
            "thumb index middle ring pinky",
            "01 02 03",
        ),
        pose="A",
        axes="x",
        root="root",
    ),
    "rigify": Rig(
        _bones(
            "L R", "spine spine.001 spine.002 spine.003 spine.004 spine.006/spine.005", RIGIFY_LIMBS, *RIGIFY_FINGERS
        ),
        prefix="DEF-",
        axes="y",
    ),
    "mesh2motion": Rig(
        _bones("L R", "hips spine.001 spine.002 spine.003 neck head", RIGIFY_LIMBS, *RIGIFY_FINGERS), prefix="DEF-"
    ),
    "kenney": Rig(_bones("Left Right", "Hips Spine Chest UpperChest Neck Head", MIXAMO_LIMBS, *MIXAMO_FINGERS)),
    "cmu": Rig(_bones("Left Right", "Hips LowerBack Spine Spine1 Neck Head", MIXAMO_LIMBS, *MIXAMO_FINGERS)),
    "accad": Rig(_bones("Left Right", "Hips ToSpine Spine Spine1 Neck Head", MIXAMO_LIMBS)),
    "bvh": Rig(_bones("Left Right", "Hips LowerBack/Spine Chest Chest2 Neck Head", BVH_LIMBS)),
    "asf": Rig(
        _bones(
            "l r",
            "root lowerback upperback thorax lowerneck head",
            "{side}clavicle {side}humerus {side}radius {side}hand/{side}wrist "
            "{side}femur {side}tibia {side}foot {side}toes",
        )
    ),
    "daz": Rig(
        _bones(
            "l r",
            "hip abdomen chest - neck head",
            "{side}Collar {side}Shldr {side}ForeArm {side}Hand {side}Thigh {side}Shin {side}Foot {side}Toe",
            "{side}{finger}{part}",
            "Thumb Index Mid Ring Pinky",
            "1 2 3",
        )
    ),
    "makehuman": Rig(
        _bones(
            "L R",
            "root spine05 spine03 spine01 neck01 head",
            "clavicle.{side} upperarm01.{side} lowerarm01.{side} wrist.{side} "
            "upperleg01.{side} lowerleg01.{side} foot.{side} toe1-1.{side}",
            "finger{finger}-{part}.{side}",
            "1 2 3 4 5",
            "1 2 3",
        )
    ),
    "kaykit": Rig(
        _bones(
            "l r",
            "hips spine chest - - head",
            "- upperarm.{side} lowerarm.{side} hand.{side} upperleg.{side} lowerleg.{side} foot.{side} toes.{side}",
        )
    ),
    "quaternius": Rig(
        _bones(
            "L R",
            "Hips/Body Abdomen Torso Chest Neck Head",
            "Shoulder.{side} UpperArm.{side} LowerArm.{side} Hand.{side}/Palm.{side}/Fist.{side} "
            "UpperLeg.{side} LowerLeg.{side} Foot.{side} Toes.{side}",
        )
    ),
    "pybullet": Rig(
        _bones(
            "left right",
            "root - chest - neck head",
            "- {side}_shoulder {side}_elbow {side}_wrist {side}_hip {side}_knee {side}_ankle -",
        )
    ),
    "smpl": Rig(
        _bones(
            "left right",
            "pelvis spine1 spine2 spine3 neck head",
            "{side}_collar {side}_shoulder {side}_elbow {side}_wrist {side}_hip {side}_knee {side}_ankle {side}_foot",
            "{side}_{finger}{part}",
            "thumb index middle ring pinky",
            "1 2 3",
        )
    ),
    "biped": Rig(
        _bones(
            "L R",
            "Pelvis Spine Spine1 Spine2 Neck Head",
            "{side}Clavicle {side}UpperArm {side}Forearm {side}Hand {side}Thigh {side}Calf {side}Foot {side}Toe0",
        ),
        prefix="Bip01 ",
    ),
}
# The control bones of a generated Rigify rig, which move its other bones.
RIGIFY_CONTROLS = Rig(
    _bones(
        "L R",
        "spine_fk spine_fk.001 spine_fk.002 spine_fk.003 neck head",
        "shoulder.{side} upper_arm_fk.{side} forearm_fk.{side} hand_fk.{side} "
        "thigh_fk.{side} shin_fk.{side} foot_fk.{side} toe_fk.{side}/toe.{side}",
        *RIGIFY_FINGERS,
    )
)


def _key(name: str) -> str:
    """Return the letters and digits of a name in lower case, for comparison."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _spellings(names: Sequence[str]) -> list[dict[str, str]]:
    """Map keys to the file's bone names: as they are, and without the numbers that exporters append ("Hips_05")."""
    shorter = [TRAILING_NUMBER.sub("", name) for name in names]
    return [
        {_key(short): name for short, name in reversed(list(zip(spelt, names, strict=True)))}
        for spelt in (names, shorter)
    ]


def _matches(rig: Rig, bones: Mapping[str, str]) -> dict[str, str]:
    """Return joint -> bone for the bones with this rig's names and a common prefix, the prefix that gives most matches.

    Candidates for the prefix are the rig's own, none, and what precedes the hips' name in the file.

    Args:
        rig: The rig's spellings.
        bones: key -> name of the file's bones.
    """
    hips = rig.keys["hips"]
    prefixes = [_key(rig.prefix), "", *(key.removesuffix(hip) for hip in hips for key in bones if key.endswith(hip))]
    found: dict[str, str] = {}
    for prefix in list(dict.fromkeys(prefixes))[:SHOWN]:
        matched: dict[str, str] = {}
        for joint, keys in rig.keys.items():
            bone = next((bones[prefix + key] for key in keys if prefix + key in bones), None)
            if bone is not None:
                matched[joint] = bone
        found = max(found, matched, key=len)
    return found


def _check_given(given: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise InputError unless a user's map names joints of the humanoid and bones of the file."""
    for joint, name in given.items():
        if joint not in HUMANOID_FINGERS.names:
            raise InputError(
                f"the bone map names a joint {joint!r}, which the humanoid doesn't have; its joints are "
                f"{', '.join(HUMANOID_FINGERS.names[:22])} and those of the fingers."
            )
        if name not in names:
            raise InputError(f"the bone map gives {name!r} for {joint}, but the file has no such bone.")


def recognise_bones(names: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Recognise the bones of a file as joints of the humanoid.

    The rig whose names match most bones is used; prefix, case, separators and appended numbers don't matter.

    Args:
        names: Names of the file's bones.
        given: the user's own map, joint -> bone; takes precedence.

    Returns:
        joint -> one of `names`, in the humanoid's order. Hips, upper and lower legs, feet, upper and lower arms, and
        head or neck are always included.

    Raises:
        InputError: Required joints are not found, or the map names joints or bones that don't exist.
    """
    found = match_bones(names, given)
    missing = missing_joints(found)
    if missing:
        used = set(found.values())
        unknown = [name for name in names if name not in used]
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        raise InputError(
            f"no bone is known for {', '.join(missing)}; bones not recognised: "
            f"{', '.join(unknown[:SHOWN]) or 'none'}{more}. Name them in a JSON file "
            '{"hips": "Pelvis", ...} and give it with --bones FILE.'
        )
    return found


def match_bones(
    names: Sequence[str], given: Mapping[str, str] | None = None, rigs: Iterable[Rig] = RIGS.values()
) -> dict[str, str]:
    """Recognise as many bones as possible; see `recognise_bones`.

    Args:
        names: Names of the file's bones.
        given: the user's own map, joint -> bone; takes precedence.
        rigs: The rigs to compare with.

    Returns:
        joint -> one of `names`, in the humanoid's order.

    Raises:
        InputError: The map names joints or bones that don't exist.

    >>> match_bones(["mixamorig:Hips", "mixamorig:Spine", "mixamorig:LeftUpLeg"])
    {'hips': 'mixamorig:Hips', 'spine': 'mixamorig:Spine', 'leftUpperLeg': 'mixamorig:LeftUpLeg'}
    """
    given = given or {}
    _check_given(given, names)
    spellings = _spellings(names)
    found = max((_matches(rig, bones) for bones in spellings for rig in rigs), key=len)
    taken = set(given.values())
    found = {joint: name for joint, name in found.items() if name not in taken} | dict(given)
    return {joint: found[joint] for joint in HUMANOID_FINGERS.names if joint in found}


def missing_joints(found: Collection[str]) -> list[str]:
    """Return the required joints of a humanoid that are not among those found.

    >>> missing_joints(["hips", "leftUpperLeg", "rightUpperLeg"])[:2]
    ['leftLowerLeg', 'leftFoot']
    """
    missing = [joint for joint in REQUIRED if joint not in found]
    return missing if any(joint in found for joint in ONE_OF) else [*missing, " or ".join(ONE_OF)]
