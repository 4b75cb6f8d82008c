"""Small motion files for tests, and slow but simple forward kinematics to compare the readers with."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganassets.api.motion.kinematics import local_rotations
from ganassets.api.motion.rotations import to_euler
from ganassets.api.motion.take import Take

POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = ("Zrotation", "Xrotation", "Yrotation")
COMPONENTS = {"f4": 5126, "i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125}


@dataclass
class BvhJoint:
    """A joint to write; channels are BVH's words."""

    name: str
    parent: int
    offset: Sequence[float]
    channels: Sequence[str] = ()


def bvh_text(joints: Sequence[BvhJoint], rows: np.ndarray, frame_time: float = 1 / 30) -> str:
    """A BVH file; rows are (f, channels) in the order of the joints, which is depth first."""
    lines = ["HIERARCHY"]

    def write(index: int, depth: int) -> None:
        joint, pad = joints[index], "\t" * depth
        lines.append(f"{pad}{'ROOT' if joint.parent < 0 else 'JOINT'} {joint.name}")
        lines.append(f"{pad}{{")
        lines.append(f"{pad}\tOFFSET {' '.join(repr(float(x)) for x in joint.offset)}")
        lines.append(f"{pad}\tCHANNELS {len(joint.channels)} {' '.join(joint.channels)}")
        children = [i for i, other in enumerate(joints) if other.parent == index]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.append(f"{pad}\tEnd Site\n{pad}\t{{\n{pad}\t\tOFFSET 0 1 0\n{pad}\t}}")
        lines.append(f"{pad}}}")

    for index, joint in enumerate(joints):
        if joint.parent < 0:
            write(index, 0)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {frame_time!r}"]
    lines += [" ".join(repr(float(x)) for x in row) for row in rows]
    return "\n".join(lines) + "\n"


def bvh_of(take: Take) -> str:
    """Write a take whose joints are not rotated at rest as a BVH file."""
    order = depth_first(take.parents)
    joints = []
    for joint in order:
        parent = take.parents[joint]
        offset = take.rest_positions[joint] - (take.rest_positions[parent] if parent >= 0 else 0)
        above = order.index(parent) if parent >= 0 else -1
        channels = ROTATIONS if parent >= 0 else (*POSITIONS, *ROTATIONS)
        joints.append(BvhJoint(take.names[joint], above, offset.tolist(), channels))
    angles = to_euler("ZXY", local_rotations(take.parents, take.rotations))[:, order].reshape(len(take.positions), -1)
    return bvh_text(joints, np.concatenate([take.positions[:, 0], angles], 1), 1 / take.fps)


def depth_first(parents: Sequence[int], root: int = -1) -> list[int]:
    """Joints, each followed by its descendants."""
    below = [joint for joint, parent in enumerate(parents) if parent == root]
    return [found for joint in below for found in (joint, *depth_first(parents, joint))]


def turn_matrix(axis: str, degrees: float) -> np.ndarray:
    """Return the (3, 3) rotation about a named axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i = "XYZ".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.eye(3)
    matrix[j, j], matrix[j, k], matrix[k, j], matrix[k, k] = c, -s, s, c
    return matrix


def affine(linear: np.ndarray, translation: Sequence[float]) -> np.ndarray:
    """Return a (4, 4) matrix."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, translation
    return matrix


def chained(parents: Sequence[int], local: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return (4, 4) world matrices from local ones."""
    world: list[np.ndarray] = []
    for parent, matrix in zip(parents, local, strict=True):
        world.append(matrix if parent < 0 else world[parent] @ matrix)
    return world


def bvh_world(joints: Sequence[BvhJoint], row: Sequence[float]) -> list[np.ndarray]:
    """Return (4, 4) world matrices of one frame, channel by channel."""
    local, values = [], iter(row)
    for joint in joints:
        place, linear = list(joint.offset), np.eye(3)
        for channel in joint.channels:
            value = next(values)
            if channel.endswith("position"):
                place["XYZ".index(channel[0])] = value
            else:
                linear = linear @ turn_matrix(channel[0], value)
        local.append(affine(linear, place))
    return chained([joint.parent for joint in joints], local)


@dataclass
class GltfFile:
    """A glTF document as it grows, with its binary chunk."""

    document: dict[str, Any] = field(default_factory=lambda: {"asset": {"version": "2.0"}, "nodes": []})
    binary: bytes = b""

    def add(self, array: Any, kind: str, dtype: str = "f4", **more: Any) -> int:
        """Append an accessor; returns its index."""
        values = np.asarray(array, f"<{dtype}")
        self.document.setdefault("accessors", []).append(
            {"bufferView": self.view(values.tobytes()), "componentType": COMPONENTS[dtype], "count": len(values),
             "type": kind, **more}
        )  # fmt: skip
        return len(self.document["accessors"]) - 1

    def view(self, data: bytes, **more: int) -> int:
        """Append a buffer view; returns its index."""
        views = self.document.setdefault("bufferViews", [])
        views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more})
        self.binary += data + bytes(-len(data) % 4)
        return len(views) - 1

    def animate(self, name: str, tracks: Sequence[tuple[int, str, Any, Any, str]]) -> None:
        """Append an animation of (node, path, times, keys, interpolation)."""
        channels, samplers = [], []
        for node, path, times, keys, how in tracks:
            channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
            samplers.append(
                {
                    "input": self.add(times, "SCALAR"),
                    "output": self.add(keys, "VEC4" if path == "rotation" else "VEC3"),
                    "interpolation": how,
                }
            )
        self.document.setdefault("animations", []).append({"name": name, "channels": channels, "samplers": samplers})

    def bind(self, joints: Sequence[int], matrices: np.ndarray) -> None:
        """Append a skin whose joints rest at world matrices (k, 4, 4)."""
        inverse = np.linalg.inv(matrices).transpose(0, 2, 1).reshape(-1, 16)
        skin = {"joints": list(joints), "inverseBindMatrices": self.add(inverse, "MAT4")}
        self.document.setdefault("skins", []).append(skin)

    def glb(self) -> bytes:
        """The file as one GLB."""
        self.document["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.document).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self.binary), b"BIN\0") + self.binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def gltf(self, uri: str) -> bytes:
        """The file as JSON whose buffer is at a URI."""
        self.document["buffers"] = [{"byteLength": len(self.binary), "uri": uri}]
        return json.dumps(self.document).encode()


ASF = """# a leg and an arm
:version 1.10
:name figure
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name lfemur
    direction 0 -1 0
    length 7
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
    id 2
    name ltibia
    direction 0.6 -0.8 0
    length 5
    axis 30 0 20 XYZ
    dof rx
  end
  begin
    id 3
    name lfoot
    direction 0 0 1
    length 2
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root lfemur
    lfemur ltibia
    ltibia lfoot
  end
"""
AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
lfemur 0 0 0
ltibia 0
2
root 1 2 3 10 20 30
lfemur 40 50 60
ltibia 70
"""


def humanoid_text(frames: int = 3, duration: float = 1 / 30, loop: str = "wrap") -> str:
    """A DeepMimic file that stands still, one metre a second along X."""
    turn = [1.0, 0, 0, 0]
    rest = [*turn, *turn, *turn, *turn, 0.0, *turn, *turn, 0.0, *turn, 0.0, *turn, *turn, 0.0]
    return json.dumps({"Loop": loop, "Frames": [[duration, i * duration, 0.9, 0.0, *rest] for i in range(frames)]})
