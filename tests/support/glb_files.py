"""Read a clip's GLB back for tests: arrays, and world matrices of its nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pygltflib

TYPES = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def parse(content: bytes) -> Any:
    """Read a file with pygltflib; Any, because all parts of its document are optional to the type checker."""
    document = pygltflib.GLTF2.load_from_bytes(content)
    assert document is not None
    return document


def read(document: Any, index: int) -> np.ndarray:
    """Return the (n, c) values of an accessor."""
    accessor = document.accessors[index]
    dtype, width = np.dtype(TYPES[accessor.componentType]), WIDTHS[accessor.type]
    view = document.bufferViews[accessor.bufferView]
    offset = accessor.byteOffset or 0
    assert offset + accessor.count * width * dtype.itemsize <= view.byteLength
    values = np.frombuffer(document.binary_blob(), dtype, accessor.count * width, view.byteOffset + offset)
    values = values.reshape(accessor.count, width)
    if accessor.min:
        assert np.array_equal(np.array(accessor.min, np.float32), values.min(0))
        assert np.array_equal(np.array(accessor.max, np.float32), values.max(0))
    return values


def matrix(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Return (..., 4, 4) matrices of unit quaternions (..., 4) and positions (..., 3).

    Columns rotate unit vectors v: v + 2 w (q x v) + 2 q x (q x v).
    """
    q, w = rotation[..., None, :3], rotation[..., None, 3:]
    axes = np.eye(3)
    columns = axes + 2 * w * np.cross(q, axes) + 2 * np.cross(q, np.cross(q, axes))
    out = np.zeros((*rotation.shape[:-1], 4, 4))
    out[..., :3, :3], out[..., :3, 3], out[..., 3, 3] = np.swapaxes(columns, -1, -2), translation, 1
    return out


def world_matrices(document: Any, played: bool) -> np.ndarray:
    """Return (f, n, 4, 4) node matrices in the frames of the only animation, or (1, n, 4, 4) at rest."""
    nodes = document.nodes
    animations: list[Any] = document.animations if played else []
    frames = document.accessors[animations[0].samplers[0].input].count if played else 1
    moves: dict[tuple[int, str], np.ndarray] = {}
    for animation, channel in ((each, channel) for each in animations for channel in each.channels):
        sampler = animation.samplers[channel.sampler]
        assert sampler.interpolation in (None, "LINEAR")
        values = read(document, sampler.output).astype(float)
        assert len(values) == frames and (channel.target.node, channel.target.path) not in moves
        moves[channel.target.node, channel.target.path] = values
    out = np.tile(np.eye(4), (frames, len(nodes), 1, 1))

    def walk(index: int, above: np.ndarray) -> None:
        node = nodes[index]
        rotation = moves.get((index, "rotation"), np.tile(np.array(node.rotation or [0, 0, 0, 1]), (frames, 1)))
        place = moves.get((index, "translation"), np.tile(np.array(node.translation or [0, 0, 0]), (frames, 1)))
        out[:, index] = above @ matrix(rotation, place)
        for child in node.children or []:
            walk(child, out[:, index])

    for root in document.scenes[0].nodes:
        walk(root, np.eye(4))
    return out
