"""The GLB container and its binary chunk (glTF 2.0 specification, section 4)."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAGIC, VERSION = b"glTF", 2
JSON_CHUNK, BIN_CHUNK = b"JSON", b"BIN\0"
FLOAT = 5126  # glTF's number of a component type
COMPONENT_TYPES = dict(zip(map(np.dtype, ("u1", "u2", "u4", "f4")), (5121, 5123, 5125, FLOAT), strict=True))
VERTICES, INDICES = 34962, 34963  # glTF's numbers of what a buffer view holds


@dataclass
class BinaryChunk:
    """The binary chunk of a GLB file while it is built, with the buffer views and accessors that point into it.

    Attributes:
        blocks: bytes of the chunk; the length of every block is a multiple of 4.
        size: Sum of the blocks' lengths.
        views: Buffer views as in glTF's JSON.
        accessors: JSON text of each accessor. Most are the same in every file, so they become text once.
    """

    blocks: list[bytes] = field(default_factory=list)
    size: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[str] = field(default_factory=list)

    def copy(self) -> BinaryChunk:
        """Copy the chunk, so that the copy can grow on its own."""
        return BinaryChunk(list(self.blocks), self.size, list(self.views), list(self.accessors))

    def merge_blocks(self) -> BinaryChunk:
        """Copy the chunk with all its bytes in one block, which is faster to write many times."""
        return BinaryChunk([b"".join(self.blocks)], self.size, self.views, self.accessors)

    def add_view(self, data: bytes, **properties: int) -> int:
        """Append data as a buffer view and return the view's index."""
        self.views.append({"buffer": 0, "byteOffset": self.size, "byteLength": len(data), **properties})
        self.blocks.append(data + bytes(-len(data) % 4))
        self.size += len(self.blocks[-1])
        return len(self.views) - 1

    def add_accessor(self, **properties: Any) -> int:
        """Append an accessor and return its index."""
        self.accessors.append(compact_json(properties))
        return len(self.accessors) - 1

    def add_attribute(
        self, array: np.ndarray, kind: str, spans: Sequence[slice], bounds: bool = False, target: int = VERTICES
    ) -> list[int]:
        """Append an array as one buffer view with an accessor for each span of its rows.

        Args:
            array: (n,) or (n, c), of a type in COMPONENT_TYPES.
            kind: glTF's type of a row, "SCALAR" or "VEC2".
            spans: Rows of each accessor.
            bounds: Whether to write each accessor's smallest and largest values.
            target: VERTICES or INDICES.

        Returns:
            Indices of the accessors.
        """
        row_bytes = array.nbytes // len(array)
        stride = {"byteStride": row_bytes} if target == VERTICES else {}
        view = self.add_view(array.tobytes(), target=target, **stride)
        return [
            self.add_accessor(
                bufferView=view,
                byteOffset=span.start * row_bytes,
                componentType=COMPONENT_TYPES[array.dtype],
                count=span.stop - span.start,
                type=kind,
                **(column_bounds(array[span]) if bounds else {}),
            )
            for span in spans
        ]


def compact_json(value: Any) -> str:
    """Encode a value as JSON text without spaces.

    Raises:
        ValueError: A number is infinite or not a number.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def column_bounds(array: np.ndarray) -> dict[str, list[float]]:
    """Compute an accessor's smallest and largest value in each column."""
    columns = np.ascontiguousarray(array.T)  # numpy reduces along the memory's order many times faster
    return {"min": columns.min(1).tolist(), "max": columns.max(1).tolist()}


def pack_glb(document: bytes, blocks: Sequence[bytes]) -> bytes:
    """Encode a GLB file.

    Args:
        document: The JSON text.
        blocks: Blocks of the binary chunk, each a multiple of 4 bytes long.
    """
    document += b" " * (-len(document) % 4)
    size = sum(map(len, blocks))
    header = struct.pack("<4sII", MAGIC, VERSION, 12 + 8 + len(document) + 8 + size)
    json_head, bin_head = struct.pack("<I4s", len(document), JSON_CHUNK), struct.pack("<I4s", size, BIN_CHUNK)
    return b"".join((header, json_head, document, bin_head, *blocks))
