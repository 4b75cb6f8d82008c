"""What plugins make and exporters take: frozen dataclasses of numpy arrays, checked when they are made.

Units and axes everywhere: metres, Y up, facing +Z, right-handed; texture origin upper left; colours sRGB uint8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .errors import ContractError, InputError

if TYPE_CHECKING:  # exporters are listed without loading numpy
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

    FloatArray = NDArray[np.float32]
    IntArray = NDArray[np.int32]
    ByteArray = NDArray[np.uint8]


def check_array(name: str, array: object, dtype: DTypeLike, shape: tuple[int | None, ...]) -> None:
    """Raise ContractError unless array is a numpy array of that dtype and shape (None: any length), all finite."""
    import numpy as np

    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        found = getattr(array, "dtype", type(array).__name__)
        raise ContractError(f"{name} must be a {np.dtype(dtype)} array, not {found}.")
    if array.ndim != len(shape) or any(w is not None and w != n for w, n in zip(shape, array.shape, strict=True)):
        wanted = "x".join("any" if w is None else str(w) for w in shape)
        raise ContractError(f"{name} must have shape {wanted}, not {'x'.join(map(str, array.shape))}.")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise ContractError(f"{name} holds numbers that are not finite.")


def check_indices(name: str, array: NDArray[Any], below: int) -> None:
    """Raise ContractError unless all indices lie in [0, below)."""
    if array.size and (array.min() < 0 or array.max() >= below):
        raise ContractError(f"{name} holds indices outside 0..{below - 1}.")


@dataclass(frozen=True)
class Provenance:
    """Where an asset comes from; exporters write it into every file that can carry it.

    Attributes:
        generator: plugin's name and version, "faces 0.1.0".
        model_digest: SHA-256 of the model file, hex.
        seed: seed of the asset.
        morph: a second seed and how far the asset is on the way there, 0 to 1; None for a seed alone.
        sliders: condition values that were used, by name.
        licence: SPDX expression or sentence for the asset's use.
        software: "ganassets 0.1.0".
        recipe: JSON of all that makes the file again (see ganassets.inference.recipe), or "".
    """

    generator: str = ""
    model_digest: str = ""
    seed: int = 0
    truncation: float = 1.0
    sliders: Mapping[str, float] = field(default_factory=dict)
    licence: str = ""
    software: str = ""
    morph: tuple[int, float] | None = None
    recipe: str = ""

    def keywords(self, title: str) -> dict[str, str]:
        """What a file of that title says about itself, by keyword, for formats whose notes are texts."""
        return {
            "Title": title,
            "Software": self.software,
            "Copyright": self.licence,
            "Generator": self.generator,
            "Model": self.model_digest,
            "Seed": str(self.seed),
            **({"Morph": "seed {}, {:g} of the way".format(*self.morph)} if self.morph else {}),
            "Truncation": f"{self.truncation:g}",
            "Sliders": json.dumps(dict(self.sliders)),
            **({"Recipe": self.recipe} if self.recipe else {}),
        }

    def sidecar(self, file: str) -> dict[str, bytes]:
        """A JSON file to lie beside a file of that name whose format has no room for all this, if there is a recipe."""
        text = json.dumps(self.keywords(file), indent=1) + "\n"
        return {f"{file}.json": text.encode()} if self.recipe else {}


@dataclass(frozen=True, eq=False)
class Material:
    """Surface of a part of a mesh (metallic-roughness).

    Attributes:
        name: unique in its mesh.
        base_colour: (3,) linear RGB factor in [0, 1], multiplied with the texture.
        albedo: (h, w, 3) uint8 sRGB texture, or None.
        roughness: factor in [0, 1], multiplied with the texture.
        roughness_map: (h, w) uint8 linear texture, 255 is rough, or None.
        metallic: factor in [0, 1].
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
    """What all meshes of one generator share; one object serves them all, so exporters may cache by its identity.

    Attributes:
        faces: (f, 4) int32 vertex indices of quads, wound counter-clockwise seen from outside.
        face_uvs: (f, 4) int32 indices into uvs.
        face_materials: (f,) int32 indices into the mesh's materials.
        uvs: (t, 2) float32, origin upper left.
        vertex_count: v.
        joint_names: names of the skeleton's joints; a parent stands before its children.
        joint_parents: index of each joint's parent, -1 for a root.
        skin_joints: (v, 4) int32 joints that move a vertex.
        skin_weights: (v, 4) float32, rows sum to 1.
        morph_names: names of the morph targets.
        morph_offsets: (m, v, 3) float32 metres.
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
            raise ContractError("a joint's parent must stand before it.")
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
        """Faces without corners that stand twice.

        Returns:
            (l,) vertices of all faces, (n,) where each face begins there, and (f, 4) which corners were kept: three or
            four of a face, or none.
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
        topology: shared static part.
        positions: (v, 3) float32 metres.
        normals: (v, 3) float32 unit vectors.
        joints: (j, 3) float32 metres, rest positions of the joints (rest rotations are the identity).
        materials: those that topology.face_materials points at.
        provenance: where it comes from.
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
        if abs((self.normals**2).sum(1) - 1).max() > 1e-3:
            raise ContractError("normals must be unit vectors.")

    def reduced(self, longest: int) -> Mesh:
        """What a picture of that many pixels needs of the asset: all of it, here."""
        del longest
        return self


# Of a texture set.
MAPS = ("albedo", "height", "normal", "roughness", "metallic", "occlusion")


@dataclass(frozen=True, eq=False)
class TextureSet:
    """All maps of one surface material. Rows run downwards, columns to the right; square texels.

    Attributes:
        name: "textures-00000007".
        albedo: (h, w, 3) float32 in [0, 1], sRGB.
        height: (h, w) float32 metres above the mean surface.
        normal: (h, w, 3) float32 unit vectors: right, up (+Y, against the rows), out of the surface.
        roughness, metallic, occlusion: (h, w) float32 in [0, 1]; occlusion 1 is open to the sky.
        texel_size: metres that a texel is wide and high.
        tiles: whether the maps repeat without a seam in both directions.
        provenance: where it comes from.
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
        if abs((self.normal**2).sum(-1) - 1).max() > 1e-3:
            raise ContractError("normals must be unit vectors.")
        if not 0 < self.texel_size < float("inf"):
            raise ContractError("a texel must be larger than 0 metres.")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        rows, columns = self.height.shape
        return columns * self.texel_size, rows * self.texel_size

    def reduced(self, longest: int) -> TextureSet:
        """A smaller picture of the same material, its texels averaged by the largest power of two that leaves at
        least `longest` texels on the longer side.
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
        """The upper left part of (rows, columns) texels; it no longer tiles."""
        rows, columns = size
        return replace(self, tiles=False, **{name: getattr(self, name)[:rows, :columns] for name in MAPS})


# Where a humanoid touches the ground, in the order of a clip's contacts.
CONTACTS = ("leftFoot", "leftToes", "rightFoot", "rightToes")


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a figure at rest. Quaternions everywhere: (x, y, z, w), unit length.

    Attributes:
        names: of the joints, each once; a parent stands before its children.
        parents: index of each joint's parent; -1 for the first joint, the only root.
        offsets: (j, 3) float32 metres: place in the parent's frame; of the root, its place at rest.
        rest_rotations: (j, 4) float32 rotation in the parent's frame at rest.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: FloatArray
    rest_rotations: FloatArray

    def __post_init__(self) -> None:
        j = len(self.names)
        if len(set(self.names)) != j or not j:
            raise ContractError("a skeleton needs joints, each with a name of its own.")
        if len(self.parents) != j or self.parents[0] != -1:
            raise ContractError("the first joint of a skeleton must be its root.")
        if any(not 0 <= parent < i for i, parent in enumerate(self.parents[1:], start=1)):
            raise ContractError("a joint's parent must stand before it.")
        check_array("offsets", self.offsets, "float32", (j, 3))
        check_array("rest_rotations", self.rest_rotations, "float32", (j, 4))
        _check_unit("rest_rotations", self.rest_rotations)

    def index(self, name: str) -> int:
        """Index of the joint of that name; InputError when there is none."""
        try:
            return self.names.index(name)
        except ValueError as error:
            raise InputError(f"the skeleton has no joint {name!r}.") from error


@dataclass(frozen=True, eq=False)
class MotionClip:
    """Motion of a skeleton, frame by frame; it lasts (frames - 1) / fps seconds.

    Attributes:
        name: "poses-00000007".
        skeleton: what moves.
        fps: frames a second.
        translation: (f, 3) float32 metres: place of the root joint.
        rotations: (f, j, 4) float32 rotation of each joint in its parent's frame (the skeleton's rest rotation is not
            multiplied onto it), signs chosen so that neighbouring frames are nearest.
        contacts: (f, 4) bool: which of CONTACTS stand on the ground, or None where that is not known.
        loop: the last frame is the first again, moved along the ground.
        provenance: where it comes from.
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
            raise ContractError(f"{self.name}: frames a second must be above 0.")
        check_array("translation", self.translation, "float32", (None, 3))
        check_array("rotations", self.rotations, "float32", (frames, len(self.skeleton.names), 4))
        _check_unit("rotations", self.rotations)
        if self.contacts is not None:
            check_array("contacts", self.contacts, "bool", (frames, len(CONTACTS)))

    def __len__(self) -> int:
        return len(self.translation)

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return (len(self) - 1) / self.fps

    def reduced(self, longest: int) -> MotionClip:
        """What a picture of that many pixels needs of the asset: all of it, here."""
        del longest
        return self


def _check_unit(name: str, quaternions: FloatArray) -> None:
    if abs((quaternions**2).sum(-1) - 1).max() > 1e-3:
        raise ContractError(f"{name} must be unit quaternions.")


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture: a portrait, a sprite, an icon. Rows run downwards, columns to the right; square pixels.

    Attributes:
        name: "portraits-00000007".
        pixels: (h, w, 3) uint8 sRGB, or (h, w, 4) with alpha, which is not multiplied into the colours.
        provenance: where it comes from.
    """

    name: str
    pixels: ByteArray
    provenance: Provenance = Provenance()

    kind = "picture"

    def __post_init__(self) -> None:
        check_array("pixels", self.pixels, "uint8", (None, None, None))
        if not self.pixels.size or self.pixels.shape[2] not in (3, 4):
            raise ContractError(f"{self.name} must have pixels of 3 or 4 channels.")

    def reduced(self, longest: int) -> Picture:
        """What a picture of that many pixels needs of the asset: all of it, here."""
        del longest
        return self


Asset = Mesh | TextureSet | MotionClip | Picture


@dataclass(frozen=True)
class Option:
    """One setting of an exporter, shown by --help and given as `--option name=value`.

    Attributes:
        name: as written by the user, "texture-size".
        type: bool, int, float or str.
        default: value when it isn't given.
        help: one line.
        choices: allowed values, or empty for any.
        low, high: inclusive bounds of a number, or None.
        kinds: of an exporter's setting, the kinds of asset that it changes; empty for all.
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
    """A format that assets are written in (entry-point group `ganassets.exporters`).

    Attributes:
        name: what `--to` takes, "gltf".
        summary: one line.
        api_version: the API_VERSION it was written for.
        kinds: asset kinds it takes, ("mesh",).
        suffixes: of the files it makes, (".glb",).
        options: its settings.
        export: pure function (asset, options by name, all present) -> {file name: content}; never touches disk.
    """

    name: str
    summary: str
    api_version: int
    kinds: tuple[str, ...]
    suffixes: tuple[str, ...]
    export: Callable[[Any, Mapping[str, Any]], dict[str, bytes]]
    options: tuple[Option, ...] = ()
