"""An asset as arrays, pictures and a card that says what is what: all that the add-on builds from.

Arrays are as Blender has them: metres, Z up, facing -Y, quaternions with w first, texture origin lower left. A bone
lies along its own Y axis, and the channels of its pose are relative to its rest, in its own frame.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Asset, Material, Mesh, MotionClip, TextureSet
from ganassets.api.engines import ENGINES
from ganassets.api.errors import InputError
from ganassets.api.images.encoding import encode_png
from ganassets.api.images.texture_maps import encode_png_textures
from ganassets.api.motion.editing import remove_travel
from ganassets.api.motion.kinematics import rest_pose, root_translations
from ganassets.api.motion.mannequin import SURFACES, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import (
    conjugate,
    from_axis_angle,
    make_continuous,
    multiply,
    rotate,
    shortest_rotation,
    to_matrix,
)

from .armatures import put_on, read_armature
from .thumbnails import thumbnail

FORMAT = 1
CATALOGS = "GAN Assets"
HEADS = "faces"  # the generator of heads
PICTURES = {"albedo": "baseColor", "normal": "normal", "orm": "orm", "height": "height"}
STANDING = from_axis_angle((1, 0, 0), math.pi / 2)  # from Y up to Z up
W_FIRST = (3, 0, 1, 2)
UP, FORWARDS = np.array([0.0, 1, 0]), np.array([0.0, 0, 1])
LEAST_BONE, END_BONE = 0.005, 0.6  # metres; of the bone before: bones of joints that nothing follows
SPELT = 2  # decimals of a slider in a tag
SINCE_1980 = (1980, 1, 1, 0, 0, 0)  # as early as a zip may be

FloatArray = NDArray[np.floating]
Card = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def encode_parts(asset: Asset, options: Mapping[str, Any]) -> dict[str, bytes]:
    """An asset's files by name, the card first.

    Args:
        asset: textures, a mesh or motion.
        options: see EXPORTER.

    Raises:
        InputError: a mesh has no faces, motion is not a humanoid's, or the armature is none that it could be put on.
    """
    encode = ENCODERS[type(asset)]
    more, files = encode(asset, options)
    picture = f"{asset.name}_thumb.png"
    card = card_of(asset) | {"thumbnail": picture} | more
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    small = png_of(thumbnail(asset), asset.provenance.keywords(picture))
    return {f"{asset.name}.json": text.encode(), **files, picture: small}


def card_of(asset: Asset) -> Card:
    """What every card says: what it is, where it belongs, where it comes from."""
    told = choices_of(asset.provenance.sliders)
    words = words_of(asset, told)
    numbers = {name: value for name, value in asset.provenance.sliders.items() if ":" not in name}
    return {
        "format": FORMAT,
        "kind": asset.kind,
        "name": asset.name,
        "title": f"{words['noun']} {number_of(asset)}",
        "tags": [words["tag"], *told.values(), *(f"{name} {short(value)}" for name, value in numbers.items())],
        "catalog": f"{CATALOGS}/{words['catalog']}",
        "description": description(asset, words["tag"], told),
        "licence": asset.provenance.licence,
        "provenance": asset.provenance.keywords(asset.name),
    }


def choices_of(sliders: Mapping[str, float]) -> dict[str, str]:
    """The largest choice of each category, in the model's order."""
    found: dict[str, tuple[float, str]] = {}
    for column, share in sliders.items():
        category, colon, choice = column.partition(":")
        if colon and share > found.get(category, (0.0, ""))[0]:
            found[category] = (share, choice)
    return {category: choice for category, (_, choice) in found.items()}


def words_of(asset: Asset, told: Mapping[str, str]) -> dict[str, str]:
    """What an asset is called: its noun, the tag of its kind, its place among the catalogs."""
    choice = next(iter(told.values()), "")
    spoken = choice.replace("-", " ").replace("/", " ").capitalize()
    if isinstance(asset, Mesh):
        one, many = ("Head", "Heads") if asset.provenance.generator.partition(" ")[0] == HEADS else ("Mesh", "Meshes")
        return {"noun": one, "tag": one.lower(), "catalog": many}
    if isinstance(asset, TextureSet):
        tag, many = "material", "Materials"
    else:
        tag, many = ("pose", "Poses") if isinstance(asset, MotionClip) and len(asset) == 1 else ("motion", "Motion")
    return {"noun": spoken or tag.capitalize(), "tag": tag, "catalog": f"{many}/{spoken}" if spoken else many}


def number_of(asset: Asset) -> str:
    """The seed, with what else tells assets of one seed apart."""
    provenance = asset.provenance
    if provenance.morph:
        other, share = provenance.morph
        return f"{provenance.seed} to {other}, {share:.0%}"
    place = re.search(rf"-{provenance.seed:08d}-(\d+)$", asset.name)
    return f"{provenance.seed}.{int(place[1])}" if place else f"{provenance.seed}"


def short(value: float) -> str:
    """A number without zeros that say nothing."""
    return f"{round(value, SPELT) + 0.0:g}"  # no negative zero


def description(asset: Asset, tag: str, told: Mapping[str, str]) -> str:
    """One line about an asset."""
    generator, seed = asset.provenance.generator, asset.provenance.seed
    kinds = ", ".join(told.values())
    return " ".join(
        filter(None, [tag.capitalize() + (f" ({kinds})" if kinds else ""), f"by {generator}, seed {seed}."])
    )


def texture_parts(asset: TextureSet, options: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """A material: the same pictures as the images exporter writes."""
    files = encode_png_textures(asset, ENGINES["gltf"])
    card = {
        "files": {part: f"{asset.name}_{ending}.png" for part, ending in PICTURES.items()},
        "size": list(asset.size),
        "height": [float(asset.height.min()), float(asset.height.max())],
        "tiles": asset.tiles,
    }
    return card, files


def mesh_parts(mesh: Mesh, options: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """A mesh with its skeleton, morph targets and materials."""
    topology = mesh.topology
    corners, starts, kept = topology.polygons()
    if not len(starts):
        raise InputError(f"{mesh.name} has no faces; Blender needs at least one.")
    uvs = topology.uvs[topology.face_uvs[kept]]
    arrays: Arrays = {
        "positions": to_blender(mesh.positions),
        "normals": to_blender(mesh.normals),
        "corners": corners,
        "starts": starts,
        "corner_uvs": np.stack([uvs[:, 0], 1 - uvs[:, 1]], -1),
        "face_materials": topology.face_materials[kept.any(1)],
    }
    if topology.joint_names:
        assert topology.skin_joints is not None and topology.skin_weights is not None
        arrays |= bones_at(mesh.joints, pointing(mesh.joints, topology.joint_parents), topology.joint_parents)
        arrays |= {"skin_joints": topology.skin_joints, "skin_weights": topology.skin_weights}
    if topology.morph_offsets is not None:
        arrays["offsets"] = to_blender(topology.morph_offsets)
    materials, pictures = material_parts(mesh)
    card = {
        "arrays": f"{mesh.name}.npz",
        "bones": list(topology.joint_names),
        "parents": list(topology.joint_parents),
        "morphs": list(topology.morph_names),
        "materials": materials,
    }
    return card, {card["arrays"]: npz_of(arrays), **pictures}


def material_parts(mesh: Mesh) -> tuple[list[Card], dict[str, bytes]]:
    """A mesh's materials and their pictures' files. A picture that several share is written once."""
    files: dict[str, bytes] = {}
    written: dict[int, str] = {}

    def picture(array: NDArray[np.uint8] | None, material: Material, part: str) -> str | None:
        if array is None:
            return None
        if id(array) not in written:
            written[id(array)] = name = f"{mesh.name}_{material.name}_{part}.png"
            files[name] = png_of(array, mesh.provenance.keywords(name))
        return written[id(array)]

    cards = [
        plain(material.name, material.base_colour, material.roughness)
        | {
            "metallic": material.metallic,
            "albedo": picture(material.albedo, material, "baseColor"),
            "roughness_map": picture(material.roughness_map, material, "roughness"),
        }
        for material in mesh.materials
    ]
    return cards, files


def plain(name: str, colour: Sequence[float], roughness: float) -> Card:
    """A material without pictures, no metal."""
    factors = {"base_colour": list(colour), "roughness": roughness, "metallic": 0.0}
    return {"name": name, **factors, "albedo": None, "roughness_map": None}


def motion_parts(clip: MotionClip, options: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """A clip on an armature of its own with a figure that it moves, or for the armature that the options name."""
    rig, skeleton = options["rig"], clip.skeleton
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    words = {
        "arrays": f"{clip.name}.npz",
        "fps": clip.fps,
        "frames": len(clip),
        "loop": clip.loop,
        "action": choices_of(clip.provenance.sliders).get("action", ""),
    }
    if options["armature"]:
        card, arrays = put_on(clip, read_armature(Path(options["armature"])))
        return words | card, {words["arrays"]: npz_of(arrays)}
    moved = to_rig(clip, rig, axes="y")
    places, turns = rest_pose(moved.skeleton)
    arrays = (
        bones_at(places, turns, moved.skeleton.parents)
        | channels(moved, has_root=bool(RIGS[rig].root))
        | mannequin_arrays(make_mannequin_for_rig(skeleton, rig))
    )
    card = words | {
        "rig": rig,
        "bones": list(moved.skeleton.names),
        "parents": list(moved.skeleton.parents),
        "materials": [plain(*row) for row in SURFACES],
    }
    return card, {card["arrays"]: npz_of(arrays)}


def channels(clip: MotionClip, has_root: bool) -> Arrays:
    """Pose channels of a clip's bones: (f, k, 3) locations of the first of them, (f, j, 4) rotations of all."""
    back = conjugate(clip.skeleton.rest_rotations)
    moves = np.stack(root_translations(clip, has_root), 1)
    count = moves.shape[1]
    turns = make_continuous(multiply(back, clip.rotations))
    return {
        "locations": rotate(back[:count], moves - clip.skeleton.offsets[:count]).astype(np.float32),
        "rotations": turns[..., W_FIRST].astype(np.float32),
    }


def mannequin_arrays(mannequin: Mannequin) -> Arrays:
    """The figure that a clip moves."""
    corners, starts, materials = mannequin.polygons()
    return {
        "positions": to_blender(mannequin.positions),
        "normals": to_blender(mannequin.normals),
        "corners": corners,
        "starts": starts,
        "corner_uvs": np.zeros((len(corners), 2), np.float32),
        "face_materials": materials,
        "skin_joints": mannequin.joints.astype(np.int32),
        "skin_weights": mannequin.weights,
    }


def to_blender(vectors: FloatArray) -> FloatArray:
    """(..., 3) float32 vectors with Y up as ones with Z up."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([x, -z, y], -1).astype(np.float32)


def bones_at(places: FloatArray, turns: FloatArray, parents: Sequence[int]) -> Arrays:
    """The armature at rest: (j, 4, 4) matrices of its bones, and (j,) metres that they are long.

    Args:
        places: (j, 3) metres of the joints, Y up.
        turns: (j, 4) world rotations whose Y axes the bones lie along.
        parents: of the joints, -1 for a root.
    """
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(places), 1, 1))
    matrices[:, :3, :3] = to_matrix(multiply(STANDING, turns))
    matrices[:, :3, 3] = to_blender(places)
    return {"bone_matrices": matrices, "bone_lengths": bone_lengths(places, parents)}


def bone_lengths(places: FloatArray, parents: Sequence[int]) -> FloatArray:
    """(j,) float32 metres to the first joint that follows; of the last ones a part of the bone before."""
    lengths = np.zeros(len(places), np.float32)
    for joint, parent in enumerate(parents):
        after = next((k for k, above in enumerate(parents) if above == joint), None)
        if after is not None:
            lengths[joint] = np.linalg.norm(places[after] - places[joint])
        elif parent >= 0:
            lengths[joint] = END_BONE * lengths[parent]
    return np.maximum(lengths, LEAST_BONE)


def pointing(places: FloatArray, parents: Sequence[int]) -> FloatArray:
    """(j, 4) rotations of bones that point at their only next joint, upwards where several follow, else forwards: eyes
    look, a jaw juts out.
    """
    turns = []
    for joint in range(len(places)):
        after = [k for k, above in enumerate(parents) if above == joint]
        way = places[after[0]] - places[joint] if len(after) == 1 else UP if after else FORWARDS
        turns.append(shortest_rotation(UP, way.astype(np.float64)))
    return np.stack(turns)


def png_of(array: NDArray[np.uint8], text: Mapping[str, str]) -> bytes:
    """A PNG file of a grey, RGB or RGBA picture, and what it says about itself."""
    return encode_png(array, text=text, compress_level=1, latin_text=False)


def npz_of(arrays: Arrays) -> bytes:
    """An .npz file that depends on nothing but the arrays."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", SINCE_1980)
            entry.create_system = 3  # the same on every system
            archive.writestr(entry, content.getvalue())
    return file.getvalue()


ENCODERS: dict[type, Any] = {TextureSet: texture_parts, Mesh: mesh_parts, MotionClip: motion_parts}
