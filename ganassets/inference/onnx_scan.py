"""Scan an ONNX file before any library opens it: which operators it uses, and whether it needs other files.

ONNX files are protobuf messages (field numbers: onnx.proto of the ONNX project; encoding: protobuf's documentation
"Encoding"). The scan copies nothing, descends only into the messages that the tables below name, and limits the depth
and the number of fields, so that no file can make it slow or fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_DEPTH = 64
MAX_FIELDS = 500_000
# The default operator domain has two spellings.
DEFAULT_DOMAINS = ("", "ai.onnx")

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Message -> field number -> message that the field holds.
CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "operator set", 14: "property", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 9: "operator set", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}  # fmt: skip
# (message, field number) -> attribute of OnnxScan that collects the field's values.
GATHERED: dict[tuple[str, int], str] = {
    ("model", 1): "ir_versions",
    ("operator set", 1): "domains",
    ("operator set", 2): "opsets",
    ("node", 4): "operators",
    ("node", 7): "domains",
    ("function", 10): "domains",
    ("tensor", 13): "external",
    ("tensor", 14): "data_locations",
}
TEXTS = ("domains", "operators", "external")


class MalformedError(Exception):
    """The bytes are no complete protobuf message, or exceed the limits."""


@dataclass
class OnnxScan:
    """The contents of an ONNX file that matter for its safety.

    Attributes:
        ir_versions, opsets: version numbers.
        operators: Operator types of all nodes, in subgraphs and functions too.
        domains: Operator domains that are imported or used.
        external: Keys and values of references to data outside the file.
        data_locations: Data locations of the tensors that have one; 0 is inside the file.
        metadata: The file's metadata_props, views into its bytes.
        graphs: Number of top-level graphs.
    """

    ir_versions: set[int] = field(default_factory=set)
    opsets: set[int] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)
    data_locations: set[int] = field(default_factory=set)
    metadata: dict[str, memoryview] = field(default_factory=dict)
    graphs: int = 0


def scan(data: bytes) -> OnnxScan:
    """Scan a whole ONNX file.

    Raises:
        MalformedError: The file is incomplete or no protobuf, or exceeds the limits of depth and fields.
    """
    result = OnnxScan()
    budget = _Budget(MAX_FIELDS)
    pending: list[tuple[str, memoryview, int]] = [("model", memoryview(data), 0)]
    while pending:
        message, view, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise MalformedError("graphs are nested too deeply.")
        for number, value in _fields(view, budget):
            child = CHILDREN.get(message, {}).get(number)
            gathered = GATHERED.get((message, number))
            if child == "property":
                key, text = _property(_message(value), budget)
                result.metadata[key] = text
            elif child:
                pending.append((child, _message(value), depth + 1))
                result.graphs += message == "model" and child == "graph"
            elif gathered:
                getattr(result, gathered).add(_text(value) if gathered in TEXTS else _number(value))
    return result


class _Budget:
    """Counts the fields that may still be read."""

    def __init__(self, fields: int) -> None:
        self.left = fields

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise MalformedError(f"it has more than {MAX_FIELDS} fields.")


def _fields(view: memoryview, budget: _Budget) -> Iterator[tuple[int, int | memoryview]]:
    """Read the fields of a message: (field number, an int for a varint or else bytes)."""
    at, end = 0, len(view)
    while at < end:
        budget.spend()
        key, at = _varint(view, at)
        number, wire = key >> 3, key & 7
        if not number:
            raise MalformedError("a field has number 0.")
        if wire == VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if wire == BYTES:
            length, at = _varint(view, at)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise MalformedError("a field has an unknown type.")
        if length > end - at:
            raise MalformedError("a field reaches beyond the end.")
        yield number, view[at : at + length]
        at += length


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """Read a number of at most 64 bits (base 128, lowest first); return it and the offset after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise MalformedError("it ends in the middle of a number.")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise MalformedError("a number is too long.")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, memoryview):
        return value
    raise MalformedError("a field has the wrong type.")


def _number(value: int | memoryview) -> int:
    if isinstance(value, int):
        return value
    raise MalformedError("a field has the wrong type.")


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)[:256]).decode("utf-8", "replace")


def _property(view: memoryview, budget: _Budget) -> tuple[str, memoryview]:
    """Read key and value of a metadata property; a later field overrides an earlier one, as in protobuf."""
    parts = {1: memoryview(b""), 2: memoryview(b"")}
    for number, value in _fields(view, budget):
        if number in parts:
            parts[number] = _message(value)
    return _text(parts[1]), parts[2]
