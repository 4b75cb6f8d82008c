"""Read Acclaim's pairs of files, as in the CMU motion capture database: a skeleton (ASF) and its motion (AMC)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import FloatArray, conjugate, from_euler, multiply
from ganassets.api.motion.take import Take

from .forward import identity_rotations, world_transforms
from .limits import MOST_JOINTS, as_text, check_motion_size, check_numbers, frame_rate, parse_numbers

CMU_FPS = 120.0  # frames per second of CMU's files; AMC files don't say
INCH = 0.0254  # metres
ROTATIONS, PLACES = ("RX", "RY", "RZ"), ("TX", "TY", "TZ")
DOFS = (*ROTATIONS, *PLACES, "L")

Words = list[str]


@dataclass(frozen=True)
class AcclaimBone:
    """A bone, or the root, which has no length.

    Attributes:
        name: Name of the bone.
        end: (3,) vector from its start to its end, in the file's unit and the world's axes.
        axis: (4,) rotation of the axes about which it rotates.
        dof: Its degrees of freedom in the order of the motion file's values: "RX", "TX", ...
    """

    name: str
    end: FloatArray
    axis: FloatArray
    dof: tuple[str, ...]


@dataclass(frozen=True)
class AcclaimSkeleton:
    """The content of a skeleton file.

    Attributes:
        bones: The root first, parents before children.
        parents: Index of each bone's parent, -1 for the root.
        start: Position of the root in the file's unit.
        unit: The file's unit in metres.
        in_radians: Whether angles are in radians.
    """

    bones: list[AcclaimBone]
    parents: tuple[int, ...]
    start: list[float]
    unit: float
    in_radians: bool


def read_acclaim(asf: str | bytes, amc: str | bytes, name: str, fps: float = CMU_FPS) -> Take:
    """Read a clip, in metres.

    A joint is named after the bone that starts there. At rest all joints are parallel to the world. By the format's
    definition a bone's world rotation is C M C^-1, where C is its axis and M the rotation of its values.

    Args:
        asf: Content of the skeleton's file.
        amc: Content of the motion's file.
        name: Name of the take.
        fps: Frames per second of the motion.

    Raises:
        InputError: One of the files is invalid.
    """
    frame_rate(1 / fps)
    figure = read_skeleton(as_text(asf))
    bones, parents = figure.bones, figure.parents
    motion = read_motion(as_text(amc), {bone.name: len(bone.dof) for bone in bones}, figure.in_radians)
    frames = len(motion.values)
    check_motion_size(len(bones), frames)
    shifts = np.array([[figure.start, *(bones[parent].end for parent in parents[1:])]]) * figure.unit
    translations = np.repeat(shifts, frames, 0)
    rotations = identity_rotations(frames, len(bones))
    for index, bone in enumerate(bones):
        if bone.name in motion.columns:
            values = motion.values[:, motion.columns[bone.name]]
            rotations[:, index] = bone_rotations(bone, values, motion.in_radians)
            if index == 0:
                translations[:, 0] += bone_translations(bone, values) * figure.unit
    positions, turned = world_transforms(parents, translations, rotations)
    rest, unturned = world_transforms(parents, shifts, identity_rotations(1, len(bones)))
    names = tuple(bone.name for bone in bones)
    return Take(name, names, parents, rest[0], unturned[0], fps, positions, turned)


def bone_rotations(bone: AcclaimBone, values: FloatArray, in_radians: bool) -> FloatArray:
    """Return a bone's rotations (f, 4) in its parent's frame; the first angle named rotates first."""
    columns = [i for i, dof in enumerate(bone.dof) if dof in ROTATIONS]
    order = "".join(bone.dof[i][1] for i in columns)
    angles = values[:, columns[::-1]]
    turn = from_euler(order[::-1], np.degrees(angles) if in_radians else angles)
    return multiply(multiply(bone.axis, turn), conjugate(bone.axis))


def bone_translations(bone: AcclaimBone, values: FloatArray) -> FloatArray:
    """Return a bone's translations (f, 3) from its values."""
    places = np.zeros((len(values), 3))
    for i, dof in enumerate(bone.dof):
        if dof in PLACES:
            places[:, PLACES.index(dof)] = values[:, i]
    return places


def split_sections(text: str) -> dict[str, list[Words]]:
    """Split a file into sections: keyword (":root") -> its lines as words, without comments and empty lines."""
    sections: dict[str, list[Words]] = {}
    lines: list[Words] = []
    for line in StringIO(text):
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0].lower(), [])
        elif words:
            lines.append(words)
    return sections


def read_skeleton(text: str) -> AcclaimSkeleton:
    """Read an ASF file."""
    sections = split_sections(text)
    if not {":root", ":bonedata", ":hierarchy"} <= sections.keys():
        raise InputError("the skeleton is not an ASF file: it needs :root, :bonedata and :hierarchy")
    units = {words[0].lower(): words[1:] for words in sections.get(":units", [])}
    length = parse_number(units.get("length", ["1"]), "the length unit")
    if length <= 0:
        raise InputError("the length unit should be above 0")
    in_radians = units.get("angle", ["deg"])[:1] == ["rad"]
    root, start = parse_root(sections[":root"], in_radians)
    bones = {bone.name: bone for bone in parse_bones(sections[":bonedata"], in_radians)} | {"root": root}
    order, parents = order_bones(sections[":hierarchy"], bones)
    return AcclaimSkeleton([bones[name] for name in order], parents, start, INCH / length, in_radians)


def parse_root(lines: list[Words], in_radians: bool) -> tuple[AcclaimBone, list[float]]:
    """Return the root bone, and its position."""
    facts = {words[0].lower(): words[1:] for words in lines}
    start = parse_triple(facts.get("position", ["0"] * 3), "the root's position")
    axis = parse_axis([*facts.get("orientation", ["0"] * 3), *facts.get("axis", ["XYZ"])], in_radians)
    return AcclaimBone("root", np.zeros(3), axis, parse_dofs(facts.get("order", []))), start


def parse_bones(lines: list[Words], in_radians: bool) -> Iterator[AcclaimBone]:
    """Yield the bones between `begin` and `end`."""
    facts: dict[str, Words] = {}
    count = 0
    for words in lines:
        if words[0] == "begin":
            facts = {}
        elif words[0] == "end":
            direction = parse_triple(facts.get("direction", []), "a bone's direction")
            length = parse_number(facts.get("length", []), "a bone's length")
            axis = parse_axis(facts.get("axis", ["0", "0", "0", "XYZ"]), in_radians)
            name = " ".join(facts.get("name", []))
            yield AcclaimBone(name, np.array(direction) * length, axis, parse_dofs(facts.get("dof", [])))
            count += 1
            if count > MOST_JOINTS:
                raise InputError(f"more than {MOST_JOINTS:,} joints")
        else:
            facts[words[0].lower()] = words[1:]


def parse_number(words: Words, what: str) -> float:
    """Parse one number; `what` names it in errors."""
    if len(words) != 1:
        raise InputError(f"{what} should be one number")
    return parse_numbers(words, what)[0]


def parse_triple(words: Words, what: str) -> list[float]:
    """Parse three numbers; `what` names them in errors."""
    if len(words) != 3:
        raise InputError(f"{what} should be three numbers")
    return parse_numbers(words, what)


def parse_axis(words: Words, in_radians: bool) -> FloatArray:
    """Return the rotation (4,) of "x y z XYZ"; the first letter rotates first."""
    order = "".join(words[3:]).upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise InputError(f"the order of an axis should be like XYZ, not {order[:40]!r}")
    angles = dict(zip("XYZ", parse_triple(words[:3], "an axis"), strict=True))
    turns = np.array([angles[letter] for letter in order[::-1]])
    return from_euler(order[::-1], np.degrees(turns) if in_radians else turns)


def parse_dofs(words: Words) -> tuple[str, ...]:
    """Return degrees of freedom in upper case."""
    dofs = tuple(word.upper() for word in words)
    if unknown := [dof for dof in dofs if dof not in DOFS]:
        raise InputError(f"{unknown[0][:40]!r} is not a degree of freedom; use rx, ry, rz, tx, ty, tz or l")
    return dofs


def order_bones(lines: list[Words], bones: dict[str, AcclaimBone]) -> tuple[list[str], tuple[int, ...]]:
    """Return the names of the bones from the root, parents before children, and the index of each one's parent."""
    children = {words[0]: words[1:] for words in lines if words[0] not in ("begin", "end")}
    order, parents = [], []
    waiting = [("root", -1)]
    while waiting:
        name, parent = waiting.pop()
        if name not in bones or name in order:
            why = "has two parents" if name in bones else "is not among the bones"
            raise InputError(f"{name[:40]!r} in the hierarchy {why}")
        waiting += [(child, len(order)) for child in reversed(children.get(name, []))]
        order.append(name)
        parents.append(parent)
    return order, tuple(parents)


@dataclass(frozen=True, eq=False)
class AcclaimMotion:
    """The content of a motion file.

    Attributes:
        columns: bone -> columns of its values.
        values: (f, c) with angles as in the file.
        in_radians: Whether angles are in radians.
    """

    columns: dict[str, slice]
    values: FloatArray
    in_radians: bool


def read_motion(text: str, counts: dict[str, int], in_radians: bool) -> AcclaimMotion:
    """Read an AMC file. Every frame must have the same bones in the same order.

    Args:
        text: Text of the file.
        counts: bone -> number of its values.
        in_radians: Whether angles are in radians, where the file doesn't say.
    """
    order: list[str] = []  # bones of the first frame
    found, frames, place = array("d"), 0, 0
    for line_number, line in enumerate(StringIO(text), start=1):
        words = line.split("#")[0].split()
        if not words or words[0].startswith(":"):
            in_radians = {":radians": True, ":degrees": False}.get("".join(words).lower(), in_radians)
        elif len(words) == 1 and words[0].isdecimal():
            check_frame_complete(frames, place, order)
            frames, place = frames + 1, 0
        elif not frames:
            raise InputError(f"line {line_number} of the motion comes before the first frame")
        else:
            if frames == 1 and words[0] not in order:
                order.append(words[0])
            if order[place : place + 1] != words[:1] or counts.get(words[0]) != len(words) - 1:
                raise InputError(f"line {line_number} of the motion doesn't fit the skeleton or the first frame")
            try:
                found.extend(map(float, words[1:]))
            except ValueError:
                raise InputError(f"line {line_number} of the motion should hold numbers") from None
            place += 1
    check_frame_complete(frames, place, order)
    if not found:
        raise InputError("the motion has no frames")
    values = np.frombuffer(found).reshape(frames, -1)
    check_numbers(values, "the frames")
    ends = np.cumsum([counts[name] for name in order]).tolist()
    return AcclaimMotion(
        {name: slice(end - counts[name], end) for name, end in zip(order, ends, strict=True)}, values, in_radians
    )


def check_frame_complete(frames: int, place: int, order: Sequence[str]) -> None:
    """Raise InputError where the frame that ends here lacks bones."""
    if frames and place < len(order):
        raise InputError(f"frame {frames} of the motion ends before {order[place]!r}; the file is cut off or damaged")
