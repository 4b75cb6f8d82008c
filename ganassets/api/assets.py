"""Assets, which plugins make and exporters write: frozen dataclasses of numpy arrays, checked at construction.

Units and axes everywhere: metres, Y up, facing +Z, right-handed; texture origin upper left; colours sRGB uint8.

Each class raises ContractError for arrays of a wrong type, shape or range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .arrays import ByteArray, FloatArray, IntArray, check_array, check_indices, check_unit
from .errors import ContractError, InputError
from .functions import FunctionField
from .provenance import Provenance

if TYPE_CHECKING:  # exporters are listed without loading numpy
    import numpy as np
    from numpy.typing import NDArray

ExportFunction = Callable[[Any, Mapping[str, Any]], dict[str, bytes]]


@dataclass(frozen=True, eq=False)
class Material:
    """Surface of one part of a mesh (metallic-roughness).

    Attributes:
        name: Unique in its mesh.
        base_colour: (3,) linear RGB factor in [0, 1], multiplied with the texture.
        albedo: (h, w, 3) uint8 sRGB texture, or None.
        roughness: Factor in [0, 1], multiplied with the texture.
        roughness_map: (h, w) uint8 linear texture, 255 is rough, or None.
        metallic: Factor in [0, 1].

    >>> paint = Material("paint", base_colour=(0.8, 0.1, 0.1), roughness=0.4)
    >>> paint.roughness, paint.metallic, paint.albedo
    (0.4, 0.0, None)
    """

    name: str
    base_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    albedo: ByteArray | None = None
    roughness: float = 1.0
    roughness_map: ByteArray | None = None
    metallic: float = 0.0

    def __post_init__(self) -> None:
        if self.albedo is not None:
            check_array(f"albedo of material {self.name}", self.albedo, "uint8", (None, None, 3))
        if self.roughness_map is not None:
            check_array(f"roughness map of material {self.name}", self.roughness_map, "uint8", (None, None))
        for value in (*self.base_colour, self.roughness, self.metallic):
            if not 0.0 <= value <= 1.0:
                raise ContractError(f"material {self.name} has a factor outside 0..1.")


@dataclass(frozen=True, eq=False)
class Topology:
    """Static part of a mesh that all meshes of a generator share.

    One object serves all of them, so exporters may cache by its identity.

    Attributes:
        faces: (f, 4) int32 vertex indices of quads, counter-clockwise seen from outside; a triangle repeats a corner.
        face_uvs: (f, 4) int32 indices into uvs.
        face_materials: (f,) int32 indices into the mesh's materials.
        uvs: (t, 2) float32, origin upper left.
        vertex_count: Number of vertices, v.
        joint_names: Names of the skeleton's joints; a parent comes before its children.
        joint_parents: Index of each joint's parent, -1 for a root.
        skin_joints: (v, 4) int32 indices of the joints that move a vertex.
        skin_weights: (v, 4) float32, rows sum to 1.
        morph_names: Names of the morph targets.
        morph_offsets: (m, v, 3) float32 metres: offset of each vertex in each morph target.

    >>> import numpy as np
    >>> faces = np.array([[0, 1, 2, 3], [3, 2, 4, 4]], np.int32)  # a quad and a triangle
    >>> house = Topology(faces, faces, np.zeros(2, np.int32), np.zeros((5, 2), np.float32), vertex_count=5)
    >>> corners, starts, kept = house.polygons()
    >>> corners.tolist(), starts.tolist()
    ([0, 1, 2, 3, 3, 2, 4], [0, 4])
    """

    faces: IntArray
    face_uvs: IntArray
    face_materials: IntArray
    uvs: FloatArray
    vertex_count: int
    joint_names: tuple[str, ...] = ()
    joint_parents: tuple[int, ...] = ()
    skin_joints: IntArray | None = None
    skin_weights: FloatArray | None = None
    morph_names: tuple[str, ...] = ()
    morph_offsets: FloatArray | None = None

    def __post_init__(self) -> None:
        v = self.vertex_count
        check_array("faces", self.faces, "int32", (None, 4))
        check_array("face_uvs", self.face_uvs, "int32", (len(self.faces), 4))
        check_array("face_materials", self.face_materials, "int32", (len(self.faces),))
        check_array("uvs", self.uvs, "float32", (None, 2))
        check_indices("faces", self.faces, v)
        check_indices("face_uvs", self.face_uvs, len(self.uvs))
        if len(self.joint_parents) != len(self.joint_names):
            raise ContractError("every joint needs a parent (-1 for a root).")
        if any(parent >= i for i, parent in enumerate(self.joint_parents)):
            raise ContractError("a joint's parent must come before it.")
        if self.joint_names:
            if self.skin_joints is None or self.skin_weights is None:
                raise ContractError("a mesh with joints needs skin_joints and skin_weights.")
            check_array("skin_joints", self.skin_joints, "int32", (v, 4))
            check_array("skin_weights", self.skin_weights, "float32", (v, 4))
            check_indices("skin_joints", self.skin_joints, len(self.joint_names))
            if (self.skin_weights < 0).any() or abs(self.skin_weights.sum(1) - 1).max() > 1e-5:
                raise ContractError("skin weights must be positive and sum to 1.")
        if self.morph_names:
            check_array("morph_offsets", self.morph_offsets, "float32", (len(self.morph_names), v, 3))

    def polygons(self) -> tuple[IntArray, IntArray, NDArray[np.bool_]]:
        """Return the faces without repeated corners: quads and triangles.

        Returns:
            (l,) int32 vertices of all faces, (n,) int32 start of each face in these, and (f, 4) bool which corners were
            kept: three or four of a face, or none.
        """
        import numpy as np

        faces = self.faces
        kept = faces != np.roll(faces, -1, 1)
        opposite = (faces[:, 0] == faces[:, 2]) | (faces[:, 1] == faces[:, 3])
        kept &= ((kept.sum(1) >= 3) & ~opposite)[:, None]
        counts = kept.sum(1)
        counts = counts[counts > 0]
        starts = np.cumsum(counts) - counts
        return faces[kept], starts.astype(np.int32), kept


@dataclass(frozen=True, eq=False)
class Mesh:
    """One textured mesh, rigged and with morph targets where its topology says so.

    Attributes:
        name: "head-00000007".
        topology: Static part, shared by all meshes of the generator.
        positions: (v, 3) float32 metres.
        normals: (v, 3) float32 unit vectors.
        joints: (j, 3) float32 metres: rest positions of the joints (rest rotations are the identity).
        materials: Materials that topology.face_materials refers to.
        provenance: Origin of the asset.

    >>> import numpy as np
    >>> quad = np.array([[0, 1, 2, 3]], np.int32)
    >>> uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    >>> topology = Topology(quad, quad, np.zeros(1, np.int32), uvs, 4)
    >>> corners = np.array([[-1, 0, 0], [1, 0, 0], [1, 2, 0], [-1, 2, 0]], np.float32)
    >>> normals = np.tile(np.array([[0, 0, 1]], np.float32), (4, 1))
    >>> Mesh("plank", topology, corners, normals, np.zeros((0, 3), np.float32), (Material("wood"),)).kind
    'mesh'
    """

    name: str
    topology: Topology
    positions: FloatArray
    normals: FloatArray
    joints: FloatArray
    materials: tuple[Material, ...]
    provenance: Provenance = Provenance()

    kind = "mesh"

    def __post_init__(self) -> None:
        topology = self.topology
        check_array("positions", self.positions, "float32", (topology.vertex_count, 3))
        check_array("normals", self.normals, "float32", (topology.vertex_count, 3))
        check_array("joints", self.joints, "float32", (len(topology.joint_names), 3))
        check_indices("face_materials", topology.face_materials, len(self.materials))
        check_unit("normals", self.normals, "vectors")

    def reduced(self, _longest: int) -> Mesh:
        """Return the asset itself: even a small preview needs its full size."""
        return self


# Names of the maps of a TextureSet.
MAPS = ("albedo", "height", "normal", "roughness", "metallic", "occlusion")


@dataclass(frozen=True, eq=False)
class TextureSet:
    """Maps of one surface material. Rows run downwards, columns to the right; square texels.

    Attributes:
        name: "textures-00000007".
        albedo: (h, w, 3) float32 in [0, 1], sRGB.
        height: (h, w) float32 metres above the mean surface.
        normal: (h, w, 3) float32 unit vectors: right, up (+Y, against the rows), out of the surface.
        roughness: (h, w) float32 in [0, 1].
        metallic: (h, w) float32 in [0, 1].
        occlusion: (h, w) float32 in [0, 1]; 1 is open to the sky.
        texel_size: Width and height of a texel in metres.
        tiles: Whether the maps repeat without a seam in both directions.
        provenance: Origin of the asset.

    >>> import numpy as np
    >>> flat = np.zeros((2, 4), np.float32)
    >>> up = np.tile(np.array([0, 0, 1], np.float32), (2, 4, 1))
    >>> grey = np.full((2, 4, 3), 0.5, np.float32)
    >>> TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25).size
    (1.0, 0.5)
    """

    name: str
    albedo: FloatArray
    height: FloatArray
    normal: FloatArray
    roughness: FloatArray
    metallic: FloatArray
    occlusion: FloatArray
    texel_size: float
    tiles: bool = True
    provenance: Provenance = Provenance()

    kind = "textures"

    def __post_init__(self) -> None:
        check_array("albedo", self.albedo, "float32", (None, None, 3))
        rows, columns = self.albedo.shape[:2]
        if not rows * columns:
            raise ContractError(f"{self.name} has no texels.")
        check_array("height", self.height, "float32", (rows, columns))
        check_array("normal", self.normal, "float32", (rows, columns, 3))
        for name in ("roughness", "metallic", "occlusion"):
            check_array(name, getattr(self, name), "float32", (rows, columns))
        for name in ("albedo", "roughness", "metallic", "occlusion"):
            array = getattr(self, name)
            if array.min() < 0 or array.max() > 1:
                raise ContractError(f"{name} holds values outside 0..1.")
        check_unit("normals", self.normal, "vectors")
        if not 0 < self.texel_size < float("inf"):
            raise ContractError("a texel must be larger than 0 metres.")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        rows, columns = self.height.shape
        return columns * self.texel_size, rows * self.texel_size

    def reduced(self, longest: int) -> TextureSet:
        """Return a smaller set of the same material for a preview.

        Texels are averaged by the largest power of two that leaves at least `longest` texels on the longer side.

        Args:
            longest: Texels of the longer side that the preview needs.
        """
        import numpy as np

        rows, columns = self.height.shape
        factor = 1
        while max(rows, columns) >= 2 * factor * longest and rows % (2 * factor) == columns % (2 * factor) == 0:
            factor *= 2
        if factor == 1:
            return self

        def mean(array: FloatArray) -> FloatArray:
            blocks = array.reshape(rows // factor, factor, columns // factor, factor, *array.shape[2:])
            return blocks.mean((1, 3), dtype=np.float32)

        maps = {name: mean(getattr(self, name)) for name in MAPS}
        maps["normal"] /= np.sqrt((maps["normal"] ** 2).sum(-1, keepdims=True))
        return replace(self, texel_size=self.texel_size * factor, **maps)

    def cropped(self, size: Sequence[int]) -> TextureSet:
        """Return the upper left part; it no longer tiles.

        Args:
            size: (rows, columns) in texels.
        """
        rows, columns = size
        return replace(self, tiles=False, **{name: getattr(self, name)[:rows, :columns] for name in MAPS})


# Points where a humanoid touches the ground, in the order of a clip's contacts.
CONTACTS = ("leftFoot", "leftToes", "rightFoot", "rightToes")


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a figure in its rest pose. Quaternions everywhere: (x, y, z, w), unit length.

    Attributes:
        names: Unique names of the joints; a parent comes before its children.
        parents: Index of each joint's parent; -1 for the first joint, the only root.
        offsets: (j, 3) float32 metres: position in the parent's frame; for the root, its rest position.
        rest_rotations: (j, 4) float32 rotation in the parent's frame in the rest pose.

    >>> import numpy as np
    >>> rest = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], np.float32)
    >>> offsets = np.array([[0, 0.9, 0], [0.1, -0.1, 0]], np.float32)
    >>> Skeleton(("hips", "leftUpperLeg"), (-1, 0), offsets, rest).index("leftUpperLeg")
    1
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: FloatArray
    rest_rotations: FloatArray

    def __post_init__(self) -> None:
        j = len(self.names)
        if len(set(self.names)) != j or not j:
            raise ContractError("a skeleton needs joints with unique names.")
        if len(self.parents) != j or self.parents[0] != -1:
            raise ContractError("the first joint of a skeleton must be its root.")
        if any(not 0 <= parent < i for i, parent in enumerate(self.parents[1:], start=1)):
            raise ContractError("a joint's parent must come before it.")
        check_array("offsets", self.offsets, "float32", (j, 3))
        check_array("rest_rotations", self.rest_rotations, "float32", (j, 4))
        check_unit("rest_rotations", self.rest_rotations, "quaternions")

    def index(self, name: str) -> int:
        """Return the index of the joint of that name.

        Raises:
            InputError: There is no such joint.
        """
        try:
            return self.names.index(name)
        except ValueError as error:
            raise InputError(f"the skeleton has no joint {name!r}.") from error


@dataclass(frozen=True, eq=False)
class MotionClip:
    """Motion of a skeleton, frame by frame; it lasts (frames - 1) / fps seconds.

    Attributes:
        name: "poses-00000007".
        skeleton: Skeleton that moves.
        fps: Frames per second.
        translation: (f, 3) float32 metres: position of the root joint.
        rotations: (f, j, 4) float32 rotation of each joint in its parent's frame (it replaces the rest rotation), with
            signs chosen so that neighbouring frames are nearest.
        contacts: (f, 4) bool: which of CONTACTS are on the ground, or None if that is unknown.
        loop: Whether the last frame repeats the first, moved along the ground.
        provenance: Origin of the asset.

    >>> import numpy as np
    >>> rest = np.array([[0, 0, 0, 1]], np.float32)
    >>> skeleton = Skeleton(("hips",), (-1,), np.array([[0, 1, 0]], np.float32), rest)
    >>> clip = MotionClip("still", skeleton, 30.0, np.zeros((31, 3), np.float32), np.tile(rest, (31, 1, 1)))
    >>> clip.seconds
    1.0
    """

    name: str
    skeleton: Skeleton
    fps: float
    translation: FloatArray
    rotations: FloatArray
    contacts: NDArray[np.bool_] | None = None
    loop: bool = False
    provenance: Provenance = Provenance()

    kind = "motion"

    def __post_init__(self) -> None:
        frames = len(self.translation)
        if not frames:
            raise ContractError(f"{self.name} has no frames.")
        if not 0 < self.fps < float("inf"):
            raise ContractError(f"{self.name}: frames per second must be above 0.")
        check_array("translation", self.translation, "float32", (None, 3))
        check_array("rotations", self.rotations, "float32", (frames, len(self.skeleton.names), 4))
        check_unit("rotations", self.rotations, "quaternions")
        if self.contacts is not None:
            check_array("contacts", self.contacts, "bool", (frames, len(CONTACTS)))

    def __len__(self) -> int:
        return len(self.translation)

    @property
    def seconds(self) -> float:
        """Duration from the first frame to the last."""
        return (len(self) - 1) / self.fps

    def reduced(self, _longest: int) -> MotionClip:
        """Return the asset itself: even a small preview needs its full size."""
        return self


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture: a portrait, a sprite, an icon. Rows run downwards, columns to the right; square pixels.

    Attributes:
        name: "portraits-00000007".
        pixels: (h, w, 3) uint8 sRGB, or (h, w, 4) with straight (not premultiplied) alpha.
        provenance: Origin of the asset.

    >>> import numpy as np
    >>> icon = Picture("icons-00000007", np.zeros((32, 32, 4), np.uint8))
    >>> icon.kind, icon.pixels.shape
    ('picture', (32, 32, 4))
    """

    name: str
    pixels: ByteArray
    provenance: Provenance = Provenance()

    kind = "picture"

    def __post_init__(self) -> None:
        check_array("pixels", self.pixels, "uint8", (None, None, None))
        if not self.pixels.size or self.pixels.shape[2] not in (3, 4):
            raise ContractError(f"{self.name} must have pixels of 3 or 4 channels.")

    def reduced(self, _longest: int) -> Picture:
        """Return the asset itself: even a small preview needs its full size."""
        return self


Asset = Mesh | TextureSet | MotionClip | Picture


@dataclass(frozen=True)
class Option:
    """An option of an exporter or generator, shown by --help.

    Attributes:
        name: Name of the option, as in "texture-size".
        type: bool, int, float or str.
        default: Value if the user gives none.
        help: One line: what the option does, and its unit.
        choices: Allowed values of a text; empty for any.
        low: Smallest allowed number, or None.
        high: Largest allowed number, or None.
        kinds: Kinds of asset that an exporter's option applies to; empty for all.

    >>> size = Option("texture-size", int, 0, "Longest side in texels; 0: as generated.", low=0, high=8192)
    >>> size.default, size.high
    (0, 8192)
    """

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exporter:
    """A file format for assets (entry-point group `ganassets.exporters`).

    Attributes:
        name: Name of the format for `--to`, "gltf".
        summary: One line.
        api_version: The API_VERSION that the exporter was written for.
        kinds: Kinds of asset that it writes, ("mesh",).
        suffixes: Suffixes of the files, (".glb",).
        export: pure function (asset, value of every option by name) -> {file name: content}; a callable, or a path
            "package.module:function" that is imported at the first call. It never touches the disk.
        options: Options of the format.

    >>> def export(asset, options):
    ...     return {f"{asset.name}.txt": b"A text."}
    >>> Exporter("text", "A text.", 1, ("picture",), (".txt",), export).kinds
    ('picture',)
    >>> Exporter("text", "A text.", 1, ("picture",), (".txt",), "my_text.export:export").export.path
    'my_text.export:export'
    """

    name: str
    summary: str
    api_version: int
    kinds: tuple[str, ...]
    suffixes: tuple[str, ...]
    export: FunctionField[ExportFunction] = FunctionField()
    options: tuple[Option, ...] = ()
