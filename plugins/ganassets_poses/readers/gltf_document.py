"""Parse the parts of glTF files that hold skeletons and animations (glTF 2.0 specification), and check them."""

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
from pydantic.alias_generators import to_camel

from ganassets.api.data.generated_files import gltf_recipe
from ganassets.api.errors import InputError

from .limits import LARGEST_TEXT, check_numbers

MOST_NODES = 65_536
MOST_VALUES = 50_000_000  # numbers to read from one file
MOST_BYTES = 2**29  # bytes of all buffers
MOST_OBJECTS = 1_000_000  # JSON objects; each takes some hundred bytes of memory
MAGIC, VERSION, JSON_CHUNK, BIN_CHUNK = b"glTF", 2, b"JSON", b"BIN\0"
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
COMPRESSIONS = {"EXT_meshopt_compression", "KHR_meshopt_compression"}  # extensions that animations may need

Index = Annotated[int, Field(ge=0, lt=2**31)]
Size = Annotated[int, Field(ge=0, lt=2**40)]
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class GltfObject(BaseModel):
    """An object of the document; unknown properties are ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, alias_generator=to_camel)


class GltfNode(GltfObject):
    """A node: local transform and children."""

    name: str = ""
    children: list[Index] = []
    translation: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    scale: Vector = (1.0, 1.0, 1.0)
    matrix: Annotated[list[float], Field(min_length=16, max_length=16)] | None = None


class GltfSkin(GltfObject):
    """A skin: its joints, and the accessor of their inverse bind matrices."""

    joints: Annotated[list[Index], Field(min_length=1, max_length=MOST_NODES)]
    inverse_bind_matrices: Index | None = None


class ChannelTarget(GltfObject):
    """The node and property that an animation channel moves."""

    node: Index | None = None
    path: str


class AnimationChannel(GltfObject):
    """A sampler and its target."""

    sampler: Index
    target: ChannelTarget


class AnimationSampler(GltfObject):
    """Accessors of key times and values, and the interpolation."""

    input: Index
    output: Index
    interpolation: Literal["LINEAR", "STEP", "CUBICSPLINE"] = "LINEAR"


class GltfAnimation(GltfObject):
    """An animation."""

    name: str = ""
    channels: list[AnimationChannel]
    samplers: list[AnimationSampler]


class SparseIndices(GltfObject):
    """Where the indices of a sparse accessor are."""

    buffer_view: Index
    byte_offset: Size = 0
    component_type: Literal[5121, 5123, 5125]


class SparseValues(GltfObject):
    """Where the values of a sparse accessor are."""

    buffer_view: Index
    byte_offset: Size = 0


class SparseAccessor(GltfObject):
    """Values that replace some of an accessor's."""

    count: Annotated[int, Field(ge=1, le=MOST_VALUES)]
    indices: SparseIndices
    values: SparseValues


class Accessor(GltfObject):
    """The type and place of an array of numbers."""

    buffer_view: Index | None = None
    byte_offset: Size = 0
    component_type: int
    normalized: bool = False
    count: Annotated[int, Field(ge=1, le=MOST_VALUES)]
    type: str
    sparse: SparseAccessor | None = None


class BufferView(GltfObject):
    """A slice of a buffer."""

    buffer: Index
    byte_offset: Size = 0
    byte_length: Size
    byte_stride: Annotated[int, Field(ge=1, le=252)] | None = None


class GltfBuffer(GltfObject):
    """A buffer: the GLB's binary chunk, or a URI."""

    byte_length: Size
    uri: str | None = None


class GltfDocument(GltfObject):
    """The document."""

    nodes: Annotated[list[GltfNode], Field(max_length=MOST_NODES)] = []
    skins: list[GltfSkin] = []
    animations: list[GltfAnimation] = []
    accessors: list[Accessor] = []
    buffer_views: list[BufferView] = []
    buffers: list[GltfBuffer] = []
    extensions_required: list[str] = []
    extensions: dict[str, Any] = {}


def vrm_bone_names(document: GltfDocument) -> dict[int, str]:
    """Return node -> name of the humanoid bone ("leftUpperLeg") that a VRM file or VRM animation assigns to it."""
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
    """Return items[index]; InputError where there is none. `what` names the items in the error."""
    if index >= len(items):
        raise InputError(f"{what} {index} is not among the file's {len(items)}")
    return items[index]


@dataclass
class AccessorReader:
    """Reads the numbers of accessors.

    Attributes:
        document: The document.
        binary: The GLB's binary chunk, or None.
        beside: Returns the content of a file by its relative name; InputError where there is none.
        left: How many more numbers may be read.
        buffers: The buffers that are open.
    """

    document: GltfDocument
    binary: memoryview | None
    beside: Callable[[str], bytes]
    left: int = MOST_VALUES
    buffers: dict[int, memoryview] = field(default_factory=dict)

    def read(self, index: int, *types: str) -> NDArray[np.float64]:
        """Return the numbers (count, width) of an accessor; normalised integers in [-1, 1].

        Args:
            index: Index of the accessor.
            types: Allowed types, such as "VEC3".

        Raises:
            InputError: It has another type, lies outside its buffer, or holds numbers that are not finite.
        """
        accessor: Accessor = get_item(self.document.accessors, index, "accessor")
        if accessor.type not in types or accessor.component_type not in COMPONENTS:
            raise InputError(f"accessor {index} should hold {' or '.join(types)}, in a component type of glTF")
        dtype, width = np.dtype(COMPONENTS[accessor.component_type]), WIDTHS[accessor.type]
        self.left -= accessor.count * width
        if self.left < 0:
            raise InputError(f"more than {MOST_VALUES:,} numbers; cut it into shorter clips")
        if accessor.buffer_view is None:
            values = np.zeros((accessor.count, width), dtype)
        else:
            values = self.view(accessor.buffer_view, accessor.byte_offset, accessor.count, width, dtype)
        if accessor.sparse:
            values = self.replace_sparse(values, accessor.sparse)
        found = values.astype(np.float64)
        if accessor.normalized and dtype.kind in "iu":
            found = np.maximum(found / np.iinfo(dtype).max, -1)
        check_numbers(found, f"accessor {index}'s values")
        return found

    def replace_sparse(self, values: NDArray[Any], sparse: SparseAccessor) -> NDArray[Any]:
        """Return the values (n, width) with those of a sparse accessor in their places."""
        dtype = np.dtype(COMPONENTS[sparse.indices.component_type])
        places = self.view(sparse.indices.buffer_view, sparse.indices.byte_offset, sparse.count, 1, dtype)[:, 0]
        if places.max() >= len(values):
            raise InputError("a sparse accessor has an index beyond its end")
        values = values.copy()
        exchanged = self.view(
            sparse.values.buffer_view, sparse.values.byte_offset, sparse.count, values.shape[1], values.dtype
        )
        values[places] = exchanged
        return values

    def view(self, index: int, offset: int, count: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return numbers (count, width) of a buffer view, from an offset in bytes."""
        view: BufferView = get_item(self.document.buffer_views, index, "buffer view")
        content = self.buffer(view.buffer)
        row = width * dtype.itemsize
        stride = view.byte_stride or row
        needed = offset + (count - 1) * stride + row
        if needed > view.byte_length or view.byte_offset + view.byte_length > len(content):
            raise InputError(f"buffer view {index} is too short for what is in it; the file is cut off or damaged")
        return np.ndarray((count, width), dtype, content, view.byte_offset + offset, (stride, dtype.itemsize))

    def buffer(self, index: int) -> memoryview:
        """Return the bytes of a buffer."""
        if index not in self.buffers:
            described: GltfBuffer = get_item(self.document.buffers, index, "buffer")
            self.buffers[index] = self.open_uri(described.uri)
            if described.byte_length > len(self.buffers[index]):
                raise InputError(f"buffer {index} is cut off")
            if sum(map(len, self.buffers.values())) > MOST_BYTES:
                raise InputError(f"more than {MOST_BYTES // 2**20} MB in its buffers; cut it into shorter clips")
        return self.buffers[index]

    def open_uri(self, uri: str | None) -> memoryview:
        """Return the bytes of a buffer's URI: a data URI or a file; without a URI, the binary chunk."""
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
    """Parse the document of a GLB or glTF file and return a reader of its numbers.

    Args:
        content: Content of the file.
        beside: Returns the content of a file by its relative name.

    Raises:
        InputError: The file is invalid, or needs an extension that isn't supported.
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
    if compressed := COMPRESSIONS & set(document.extensions_required):
        raise InputError(f"{compressed.pop()} isn't read; export it without compression")
    return AccessorReader(document, binary, beside)


def split_glb(content: bytes) -> tuple[bytes, memoryview | None]:
    """Return the JSON text and the binary chunk of a GLB."""
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
