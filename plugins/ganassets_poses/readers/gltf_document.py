"""A glTF file's JSON and numbers, checked: the parts that hold skeletons and animations (glTF 2.0 specification)."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganassets.api.data.generated_files import gltf_recipe
from ganassets.api.errors import InputError

from .limits import LARGEST_TEXT, check_numbers

MOST_NODES = 65_536
MOST_VALUES = 50_000_000  # numbers read out of one file
MOST_BYTES = 2**29  # of all buffers
MOST_OBJECTS = 1_000_000  # of JSON; each takes some hundred bytes
MAGIC, VERSION, JSON_CHUNK, BIN_CHUNK = b"glTF", 2, b"JSON", b"BIN\0"
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
COMPRESSIONS = {"EXT_meshopt_compression", "KHR_meshopt_compression"}  # of what animations may use

Index = Annotated[int, Field(ge=0, lt=2**31)]
Size = Annotated[int, Field(ge=0, lt=2**40)]
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class GltfObject(BaseModel):
    """A part of the document; what isn't named is ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class GltfNode(GltfObject):
    name: str = ""
    children: list[Index] = []
    translation: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    scale: Vector = (1.0, 1.0, 1.0)
    matrix: Annotated[list[float], Field(min_length=16, max_length=16)] | None = None


class GltfSkin(GltfObject):
    joints: Annotated[list[Index], Field(min_length=1, max_length=MOST_NODES)]
    inverseBindMatrices: Index | None = None


class ChannelTarget(GltfObject):
    node: Index | None = None
    path: str


class AnimationChannel(GltfObject):
    sampler: Index
    target: ChannelTarget


class AnimationSampler(GltfObject):
    input: Index
    output: Index
    interpolation: Literal["LINEAR", "STEP", "CUBICSPLINE"] = "LINEAR"


class GltfAnimation(GltfObject):
    name: str = ""
    channels: list[AnimationChannel]
    samplers: list[AnimationSampler]


class SparseIndices(GltfObject):
    bufferView: Index
    byteOffset: Size = 0
    componentType: Literal[5121, 5123, 5125]


class SparseValues(GltfObject):
    bufferView: Index
    byteOffset: Size = 0


class SparseAccessor(GltfObject):
    count: Annotated[int, Field(ge=1, le=MOST_VALUES)]
    indices: SparseIndices
    values: SparseValues


class Accessor(GltfObject):
    bufferView: Index | None = None
    byteOffset: Size = 0
    componentType: int
    normalized: bool = False
    count: Annotated[int, Field(ge=1, le=MOST_VALUES)]
    type: str
    sparse: SparseAccessor | None = None


class BufferView(GltfObject):
    buffer: Index
    byteOffset: Size = 0
    byteLength: Size
    byteStride: Annotated[int, Field(ge=1, le=252)] | None = None


class GltfBuffer(GltfObject):
    byteLength: Size
    uri: str | None = None


class GltfDocument(GltfObject):
    nodes: Annotated[list[GltfNode], Field(max_length=MOST_NODES)] = []
    skins: list[GltfSkin] = []
    animations: list[GltfAnimation] = []
    accessors: list[Accessor] = []
    bufferViews: list[BufferView] = []
    buffers: list[GltfBuffer] = []
    extensionsRequired: list[str] = []
    extensions: dict[str, Any] = {}


def vrm_bone_names(document: GltfDocument) -> dict[int, str]:
    """Names that a VRM file or VRM animation gives to nodes, whatever the nodes' own names: "leftUpperLeg"."""
    found: dict[int, str] = {}
    for extension in ("VRMC_vrm", "VRMC_vrm_animation"):
        bones: object = document.extensions
        for key in (extension, "humanoid", "humanBones"):
            bones = bones.get(key) if isinstance(bones, dict) else None
        for name, bone in bones.items() if isinstance(bones, dict) else ():
            if isinstance(bone, dict) and isinstance(bone.get("node"), int):
                found[bone["node"]] = str(name)
    return found


def get_item(items: Sequence[Any], index: int, what: str) -> Any:
    """items[index]; InputError where there is none."""
    if index >= len(items):
        raise InputError(f"{what} {index} is not among the file's {len(items)}")
    return items[index]


@dataclass
class AccessorReader:
    """Reads accessors.

    Attributes:
        document: says where they are.
        binary: the GLB's binary chunk, or None.
        beside: opens a file beside this one by its relative name; InputError where there is none.
        left: how many more numbers may be read.
        buffers: those that were opened.
    """

    document: GltfDocument
    binary: memoryview | None
    beside: Callable[[str], bytes]
    left: int = MOST_VALUES
    buffers: dict[int, memoryview] = field(default_factory=dict)

    def read(self, index: int, *types: str) -> NDArray[np.float64]:
        """(count, width) numbers of an accessor of one of the types ("VEC3"); normalised integers in [-1, 1].

        Raises:
            InputError: it is of another type, lies outside its buffer, or holds numbers that are not finite.
        """
        accessor: Accessor = get_item(self.document.accessors, index, "accessor")
        if accessor.type not in types or accessor.componentType not in COMPONENTS:
            raise InputError(f"accessor {index} should hold {' or '.join(types)}, in a component type of glTF")
        dtype, width = np.dtype(COMPONENTS[accessor.componentType]), WIDTHS[accessor.type]
        self.left -= accessor.count * width
        if self.left < 0:
            raise InputError(f"more than {MOST_VALUES:,} numbers; cut it into shorter clips")
        if accessor.bufferView is None:
            values = np.zeros((accessor.count, width), dtype)
        else:
            values = self.view(accessor.bufferView, accessor.byteOffset, accessor.count, width, dtype)
        if accessor.sparse:
            values = self.with_sparse(values, accessor.sparse)
        found = values.astype(np.float64)
        if accessor.normalized and dtype.kind in "iu":
            found = np.maximum(found / np.iinfo(dtype).max, -1)
        check_numbers(found, f"accessor {index}'s values")
        return found

    def with_sparse(self, values: NDArray[Any], sparse: SparseAccessor) -> NDArray[Any]:
        """The values (n, width) with those exchanged that a sparse accessor gives."""
        dtype = np.dtype(COMPONENTS[sparse.indices.componentType])
        places = self.view(sparse.indices.bufferView, sparse.indices.byteOffset, sparse.count, 1, dtype)[:, 0]
        if places.max() >= len(values):
            raise InputError("a sparse accessor points behind its end")
        values = values.copy()
        exchanged = self.view(
            sparse.values.bufferView, sparse.values.byteOffset, sparse.count, values.shape[1], values.dtype
        )
        values[places] = exchanged
        return values

    def view(self, index: int, offset: int, count: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """(count, width) numbers of a buffer view, from an offset in bytes."""
        view: BufferView = get_item(self.document.bufferViews, index, "buffer view")
        content = self.buffer(view.buffer)
        row = width * dtype.itemsize
        stride = view.byteStride or row
        needed = offset + (count - 1) * stride + row
        if needed > view.byteLength or view.byteOffset + view.byteLength > len(content):
            raise InputError(f"buffer view {index} is too short for what is in it; the file is cut off or damaged")
        return np.ndarray((count, width), dtype, content, view.byteOffset + offset, (stride, dtype.itemsize))

    def buffer(self, index: int) -> memoryview:
        """Bytes of a buffer: the GLB's own, from a data URI, or a file beside this one."""
        if index not in self.buffers:
            described: GltfBuffer = get_item(self.document.buffers, index, "buffer")
            self.buffers[index] = self.opened(described.uri)
            if described.byteLength > len(self.buffers[index]):
                raise InputError(f"buffer {index} is cut off")
            if sum(map(len, self.buffers.values())) > MOST_BYTES:
                raise InputError(f"more than {MOST_BYTES // 2**20} MB in its buffers; cut it into shorter clips")
        return self.buffers[index]

    def opened(self, uri: str | None) -> memoryview:
        """Bytes that a buffer's URI stands for."""
        if uri is None:
            if self.binary is None:
                raise InputError("the file lacks its binary chunk")
            return self.binary
        if not uri.startswith("data:"):
            return memoryview(self.beside(unquote(uri)))
        head, _, data = uri.partition(",")
        if not head.endswith(";base64"):
            raise InputError("a buffer's data URI should be base64")
        try:
            return memoryview(base64.b64decode(data, validate=True))
        except ValueError:
            raise InputError("a buffer's base64 is damaged") from None


def read_document(content: bytes, beside: Callable[[str], bytes]) -> AccessorReader:
    """The document of a GLB or glTF file, and what reads its numbers.

    Args:
        content: of the file.
        beside: opens a file beside it.

    Raises:
        InputError: it is neither, or damaged.
    """
    text, binary = split_glb(content) if content[:4] == MAGIC else (content, None)
    if len(text) > LARGEST_TEXT:
        raise InputError(f"more than {LARGEST_TEXT // 2**20} MB of JSON")
    if text.count(b"{") > MOST_OBJECTS:
        raise InputError(f"more than {MOST_OBJECTS:,} objects of JSON; cut it into shorter clips")
    try:
        document = GltfDocument.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"not a readable glTF file{f' at {place}' if place else ''}: {first['msg'][:200]}") from None
    if compressed := COMPRESSIONS & set(document.extensionsRequired):
        raise InputError(f"{compressed.pop()} isn't read; export it without compression")
    return AccessorReader(document, binary, beside)


def split_glb(content: bytes) -> tuple[bytes, memoryview | None]:
    """JSON text and binary chunk of a GLB."""
    if len(content) < 20:
        raise InputError("the GLB is cut off")
    _, version, length = struct.unpack_from("<4sII", content)
    if version != VERSION:
        raise InputError(f"glTF version {version} isn't read; export it as glTF 2.0")
    found: dict[bytes, memoryview] = {}
    place, end = 12, min(length, len(content))
    while place + 8 <= end:
        size, kind = struct.unpack_from("<I4s", content, place)
        if place + 8 + size > end:
            raise InputError("the GLB is cut off")
        found.setdefault(kind, memoryview(content)[place + 8 : place + 8 + size])
        place += 8 + size
    if JSON_CHUNK not in found:
        raise InputError("the GLB has no JSON chunk")
    return bytes(found[JSON_CHUNK]), found.get(BIN_CHUNK)


def embedded_recipe(content: bytes) -> object | None:
    """Return the recipe that a generated GLB or glTF file holds, see `gltf_recipe`; None for other files."""
    try:
        return gltf_recipe(split_glb(content)[0] if content[:4] == MAGIC else content)
    except InputError:
        return None
