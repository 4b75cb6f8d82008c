"""Read Biovision hierarchy files (BVH): a tree of joints with offsets and channels, and a row of numbers per frame."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ganassets.api.errors import InputError
from ganassets.api.motion.rotations import AXES, from_euler
from ganassets.api.motion.take import Take

from .forward import identity_rotations, world_transforms
from .limits import MOST_JOINTS, as_text, check_motion_size, frame_rate, parse_number_lines, parse_numbers

START = re.compile(r"\s*HIERARCHY\b", re.I)
LARGEST_HIERARCHY = 8 * 2**20  # characters before MOTION
MOST_CHANNELS = 16  # channels of a joint
STRETCH = 0.1  # most variation of a bone's position channels, as a share of its length
NON_BLANK = re.compile(r"\S")
PART = re.compile(
    r"""
    (?:ROOT|JOINT)\b (?P<joint>[^\n{]*)
    | (?P<end>End\s*Site)\b [^\n{]*
    | OFFSET\b (?P<offset>(?:\s+[^\s{}]+){3})
    | CHANNELS\s+ (?P<count>\d{1,9}) (?P<channels>(?:\s+[XYZ](?:position|rotation)\b)*)
    | (?P<open>\{)
    | (?P<close>\})
    | (?P<motion>MOTION\b)
    """,
    re.I | re.X,
)
MOTION = re.compile(r"\s*Frames\s*:\s*(\S+)\s+Frame\s*Time\s*:\s*(\S+)", re.I)


@dataclass
class HierarchyJoint:
    """A joint of the file.

    Attributes:
        name: Name of the joint.
        parent: Index of its parent, -1 for a root.
        offset: Position in the parent's frame.
        channels: Axis of each channel, and whether it is a rotation.
    """

    name: str
    parent: int
    offset: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    channels: list[tuple[str, bool]] = field(default_factory=list)


def read_bvh(content: str | bytes, name: str) -> Take:
    """Read a BVH file's clip; at rest no joint is rotated.

    A joint's position channels replace its offset, as in files of Blender and MotionBuilder. The number of frames is
    the number of rows; the take's note says where the header differs.

    Args:
        content: Content of the file.
        name: Name of the take.

    Raises:
        InputError: The file is invalid.
    """
    text = as_text(content)
    joints, end = read_hierarchy(text)
    header = MOTION.match(text, end)
    if header is None:
        raise InputError("'Frames:' and 'Frame Time:' should follow MOTION")
    fps = frame_rate(parse_numbers([header[2]], "the frame time")[0])
    declared = int(header[1]) if re.fullmatch(r"\d{1,9}", header[1]) else None
    values = read_rows(text, header.end(), joints, declared)
    parents = tuple(joint.parent for joint in joints)
    offsets = np.array([[joint.offset for joint in joints]])
    translations, turns = local_transforms(joints, offsets, values)
    positions, rotations = world_transforms(parents, translations, turns)
    resting = offsets_at_rest(joints, offsets, translations)
    rest, unturned = world_transforms(parents, resting, identity_rotations(1, len(joints)))
    names = tuple(joint.name for joint in joints)
    note = describe_frame_count(declared, len(values))
    return Take(name, names, parents, rest[0], unturned[0], fps, positions, rotations, note)


def describe_frame_count(declared: int | None, rows: int) -> str:
    """Return how the number of rows differs from the header's number of frames, "" where it doesn't."""
    if declared in (None, rows):
        return ""
    cut = ", so it may be cut off" if rows < (declared or 0) else ""
    return f"the header declares {declared:,} frames but the file has {rows:,}{cut}; all of them are used"


@dataclass
class HierarchyParser:
    """Parser of the hierarchy, with a method for each kind of token.

    Attributes:
        joints: The joints so far.
        above: Indices of the joints with open braces; None for an End Site.
        named: The joint whose brace comes next; None for an End Site.
    """

    joints: list[HierarchyJoint] = field(default_factory=list)
    above: list[int | None] = field(default_factory=list)
    named: int | None = None

    @property
    def here(self) -> HierarchyJoint | None:
        """The joint of the innermost open brace; None for an End Site."""
        return self.joints[index] if self.above and (index := self.above[-1]) is not None else None

    def joint(self, part: re.Match[str]) -> None:
        """Start a joint: ROOT or JOINT and its name."""
        if self.above and self.here is None:
            raise InputError("a joint stands below an End Site")
        if len(self.joints) == MOST_JOINTS:
            raise InputError(f"more than {MOST_JOINTS:,} joints")
        parent = self.above[-1] if self.above else None
        self.named = len(self.joints)
        self.joints.append(HierarchyJoint(part["joint"].strip(), -1 if parent is None else parent))

    def end(self, _: re.Match[str]) -> None:
        """Start an End Site, which is not a joint."""
        self.named = None

    def open(self, _: re.Match[str]) -> None:
        """Open the brace of a joint or an End Site."""
        self.above.append(self.named)
        self.named = None

    def close(self, _: re.Match[str]) -> None:
        """Close the brace of a joint or an End Site."""
        if not self.above:
            raise InputError("there is a closing brace without an opening one")
        self.above.pop()

    def offset(self, part: re.Match[str]) -> None:
        """Set a joint's position in its parent's frame."""
        if self.here:
            self.here.offset = parse_numbers(part["offset"].split(), "offsets")

    def channels(self, part: re.Match[str]) -> None:
        """Set a joint's channels."""
        words = part["channels"].split()
        if int(part["count"]) != len(words):
            raise InputError(f"CHANNELS declares {part['count']} channels but names {len(words)}")
        if len(words) > MOST_CHANNELS:
            raise InputError(f"more than {MOST_CHANNELS} channels for one joint")
        if self.here:
            self.here.channels = [(word[0].upper(), word[1] in "rR") for word in words]


def read_hierarchy(text: str) -> tuple[list[HierarchyJoint], int]:
    """Return the joints, and where the text continues after MOTION."""
    start = START.match(text)
    if start is None:
        raise InputError("not a BVH file: it doesn't start with HIERARCHY")
    hierarchy, place = HierarchyParser(), skip_whitespace(text, start.end())
    while (part := PART.match(text, place, LARGEST_HIERARCHY)) is not None and not part["motion"]:
        try:
            getattr(hierarchy, str(part.lastgroup))(part)
        except InputError as error:
            raise InputError(f"line {line_number(text, place)}: {error}") from None
        place = skip_whitespace(text, part.end())
    if part is None:
        found = text[place : place + 40].partition("\n")[0]
        raise InputError(f"line {line_number(text, place)} can't be read: {found!r}")
    if hierarchy.above or not hierarchy.joints:
        raise InputError("MOTION comes before the hierarchy is complete")
    return hierarchy.joints, part.end()


def skip_whitespace(text: str, place: int) -> int:
    """Return the next position that isn't whitespace."""
    found = NON_BLANK.search(text, place)
    return found.start() if found else len(text)


def line_number(text: str, place: int) -> int:
    """Return the number of the line at a position, from 1."""
    return text.count("\n", 0, place) + 1


def read_rows(text: str, start: int, joints: list[HierarchyJoint], declared: int | None) -> NDArray[np.float64]:
    """Return the rows (f, channels) from a position in the text to its end.

    A row is a line. Rows that are broken over several lines, or share one, are read where they match the header's
    number of frames.

    Args:
        text: Text of the file.
        start: Position of the rows.
        joints: Joints of the hierarchy.
        declared: Number of frames in the header, None where it has none.
    """
    width = sum(len(joint.channels) for joint in joints)
    values, counts, lines = parse_number_lines(text, start, "the frames")
    if not width or not len(values):
        raise InputError("no joint has a channel" if not width else "there are no frames")
    wrong = np.flatnonzero(counts != width)
    if len(wrong) and not are_rewrapped_rows(counts, width, declared):
        first = int(wrong[0])
        whole = f"; {len(values):,} values don't make whole frames of {width:,}" if len(values) % width else ""
        raise InputError(
            f"line {lines[first]:,}: {counts[first]:,} values, but the header declares {width:,} channels{whole}; "
            "the file is cut off or damaged, so export it again"
        )
    check_motion_size(len(joints), len(values) // width)
    return values.reshape(-1, width)


def are_rewrapped_rows(counts: NDArray[np.int64], width: int, declared: int | None) -> bool:
    """Return whether lines hold the header's frames with other line breaks.

    Either every frame ends at the end of a line, or every line at the end of a frame.

    Args:
        counts: (k,) number of values in each line.
        width: Number of values in a frame.
        declared: Number of frames in the header, None where it has none.
    """
    ends = np.cumsum(counts)
    if declared is None or ends[-1] != declared * width:
        return False
    frames = np.arange(1, declared + 1) * width
    return bool(np.isin(frames, ends).all() or np.isin(ends, frames).all())


def offsets_at_rest(
    joints: list[HierarchyJoint], offsets: NDArray[np.float64], translations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return offsets (1, j, 3) with zeros filled in from the position channels of bones that keep their length.

    Args:
        joints: Joints of the hierarchy.
        offsets: (1, j, 3) of the file.
        translations: (f, j, 3) in the parents' frames.
    """
    found = offsets.copy()
    for index, joint in enumerate(joints):
        if joint.parent >= 0 and not any(joint.offset):
            place = np.median(translations[:, index], 0)
            moved = np.abs(translations[:, index] - place).max()
            if moved < STRETCH * np.linalg.norm(place):
                found[0, index] = place
    return found


def local_transforms(
    joints: list[HierarchyJoint], offsets: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return translations (f, j, 3) and rotations (f, j, 4) in the parents' frames.

    Args:
        joints: Joints of the hierarchy.
        offsets: (1, j, 3) of the file.
        values: (f, channels).
    """
    translations = np.repeat(offsets, len(values), 0)
    rotations = identity_rotations(len(values), len(joints))
    turning: dict[str, list[tuple[int, list[int]]]] = defaultdict(list)  # order of rotation -> joints and their columns
    column = 0
    for index, joint in enumerate(joints):
        turns = []
        for axis, is_rotation in joint.channels:
            if is_rotation:
                turns.append((axis, column))
            else:
                translations[:, index, AXES.index(axis)] = values[:, column]
            column += 1
        turning["".join(axis for axis, _ in turns)].append((index, [place for _, place in turns]))
    for order, group in turning.items():
        if order:
            indices, columns = zip(*group, strict=True)
            rotations[:, list(indices)] = from_euler(order, values[:, list(columns)])
    return translations, rotations
