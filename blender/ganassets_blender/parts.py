"""Encode an asset as parts, from which the add-on builds it: arrays, images, a thumbnail, and a card (JSON).

Arrays follow Blender's conventions: metres, Z up, front -Y, quaternions (w, x, y, z), texture origin at the lower left.
A bone points along its own Y axis, and its pose channels are relative to its rest pose, in its own frame.
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

from .armatures import read_armature, retarget
from .thumbnails import draw_thumbnail

FORMAT = 1
CATALOGS = "GAN Assets"
HEAD_GENERATOR = "faces"
IMAGE_SUFFIXES = {"albedo": "baseColor", "normal": "normal", "orm": "orm", "height": "height"}
Y_UP_TO_Z_UP = from_axis_angle((1, 0, 0), math.pi / 2)
W_FIRST = (3, 0, 1, 2)
UP, FORWARDS = np.array([0.0, 1, 0]), np.array([0.0, 0, 1])
MIN_BONE_LENGTH = 0.005  # metres
END_BONE_SHARE = 0.6  # length of a bone without children, relative to its parent
# Decimals of a slider's value in a tag.
TAG_DECIMALS = 2
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip file

FloatArray = NDArray[np.floating]
Card = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def encode_parts(asset: Asset, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Encode an asset's parts.

    Args:
        asset: a texture set, a mesh or a clip.
        options: values of the options of EXPORTER.

    Returns:
        Files by name, the card first.

    Raises:
        InputError: a mesh has no faces, a clip's skeleton is not a humanoid, or the clip can't be retargeted to the
            armature.
    """
    encode = ENCODERS[type(asset)]
    details, files = encode(asset, options)
    thumbnail = f"{asset.name}_thumb.png"
    card = make_card(asset) | {"thumbnail": thumbnail} | details
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    image = encode_picture(draw_thumbnail(asset), asset.provenance.keywords(thumbnail))
    return {f"{asset.name}.json": text.encode(), **files, thumbnail: image}


def make_card(asset: Asset) -> Card:
    """Make the fields that all cards have: kind, title, tags, catalog, licence and provenance."""
    choices = main_choices(asset.provenance.sliders)
    noun, tag, catalog = describe_kind(asset, choices)
    numbers = {name: value for name, value in asset.provenance.sliders.items() if ":" not in name}
    return {
        "format": FORMAT,
        "kind": asset.kind,
        "name": asset.name,
        "title": f"{noun} {format_seed(asset)}",
        "tags": [tag, *choices.values(), *(f"{name} {format_number(value)}" for name, value in numbers.items())],
        "catalog": f"{CATALOGS}/{catalog}",
        "description": write_description(asset, tag, choices),
        "licence": asset.provenance.licence,
        "provenance": asset.provenance.keywords(asset.name),
    }


def main_choices(sliders: Mapping[str, float]) -> dict[str, str]:
    """The choice with the largest share of each category, in the model's order."""
    found: dict[str, tuple[float, str]] = {}
    for column, share in sliders.items():
        category, colon, choice = column.partition(":")
        if colon and share > found.get(category, (0.0, ""))[0]:
            found[category] = (share, choice)
    return {category: choice for category, (_, choice) in found.items()}


def describe_kind(asset: Asset, choices: Mapping[str, str]) -> tuple[str, str, str]:
    """Name the kind of an asset.

    Args:
        asset: the asset.
        choices: its main choices.

    Returns:
        noun for the title, tag, and catalog below CATALOGS.
    """
    choice = next(iter(choices.values()), "")
    name = choice.replace("-", " ").replace("/", " ").capitalize()
    if isinstance(asset, Mesh):
        one, many = (
            ("Head", "Heads") if asset.provenance.generator.partition(" ")[0] == HEAD_GENERATOR else ("Mesh", "Meshes")
        )
        return one, one.lower(), many
    if isinstance(asset, TextureSet):
        tag, many = "material", "Materials"
    else:
        tag, many = ("pose", "Poses") if isinstance(asset, MotionClip) and len(asset) == 1 else ("motion", "Motion")
    return name or tag.capitalize(), tag, f"{many}/{name}" if name else many


def format_seed(asset: Asset) -> str:
    """The seed, with the other seed of a morph or the number of a variation."""
    provenance = asset.provenance
    if provenance.morph:
        other, share = provenance.morph
        return f"{provenance.seed} to {other}, {share:.0%}"
    variation = re.search(rf"-{provenance.seed:08d}-(\d+)$", asset.name)
    return f"{provenance.seed}.{int(variation[1])}" if variation else f"{provenance.seed}"


def format_number(value: float) -> str:
    """Format a slider's value without trailing zeros."""
    return f"{round(value, TAG_DECIMALS) + 0.0:g}"  # avoids negative zero


def write_description(asset: Asset, tag: str, choices: Mapping[str, str]) -> str:
    """Write one line about an asset."""
    generator, seed = asset.provenance.generator, asset.provenance.seed
    listed = f" ({', '.join(choices.values())})" if choices else ""
    return f"{tag.capitalize()}{listed} by {generator}, seed {seed}."


def encode_textures(asset: TextureSet, _: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """Encode a texture set: the same images as the exporter "images"."""
    files = encode_png_textures(asset, ENGINES["gltf"])
    card = {
        "files": {part: f"{asset.name}_{ending}.png" for part, ending in IMAGE_SUFFIXES.items()},
        "size": list(asset.size),
        "height": [float(asset.height.min()), float(asset.height.max())],
        "tiles": asset.tiles,
    }
    return card, files


def encode_mesh(mesh: Mesh, _: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """Encode a mesh with its skeleton, morph targets and materials."""
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
        rotations = choose_rotations(mesh.joints, topology.joint_parents)
        arrays |= encode_bones(mesh.joints, rotations, topology.joint_parents)
        arrays |= {"skin_joints": topology.skin_joints, "skin_weights": topology.skin_weights}
    if topology.morph_offsets is not None:
        arrays["offsets"] = to_blender(topology.morph_offsets)
    materials, images = encode_materials(mesh)
    card = {
        "arrays": f"{mesh.name}.npz",
        "bones": list(topology.joint_names),
        "parents": list(topology.joint_parents),
        "morphs": list(topology.morph_names),
        "materials": materials,
    }
    return card, {card["arrays"]: encode_npz(arrays), **images}


def encode_materials(mesh: Mesh) -> tuple[list[Card], dict[str, bytes]]:
    """Encode a mesh's materials and their images; an image that several materials share is encoded once."""
    files: dict[str, bytes] = {}
    written: dict[int, str] = {}

    def add_image(array: NDArray[np.uint8] | None, material: Material, part: str) -> str | None:
        if array is None:
            return None
        if id(array) not in written:
            written[id(array)] = name = f"{mesh.name}_{material.name}_{part}.png"
            files[name] = encode_picture(array, mesh.provenance.keywords(name))
        return written[id(array)]

    cards = [
        untextured(material.name, material.base_colour, material.roughness)
        | {
            "metallic": material.metallic,
            "albedo": add_image(material.albedo, material, "baseColor"),
            "roughness_map": add_image(material.roughness_map, material, "roughness"),
        }
        for material in mesh.materials
    ]
    return cards, files


def untextured(name: str, colour: Sequence[float], roughness: float) -> Card:
    """Card of a non-metallic material without images."""
    factors = {"base_colour": list(colour), "roughness": roughness, "metallic": 0.0}
    return {"name": name, **factors, "albedo": None, "roughness_map": None}


def encode_motion(clip: MotionClip, options: Mapping[str, Any]) -> tuple[Card, dict[str, bytes]]:
    """Encode a clip, with an armature and a figure of its own or for the armature that the options name."""
    rig, skeleton = options["rig"], clip.skeleton
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    common = {
        "arrays": f"{clip.name}.npz",
        "fps": clip.fps,
        "frames": len(clip),
        "loop": clip.loop,
        "action": main_choices(clip.provenance.sliders).get("action", ""),
    }
    if options["armature"]:
        card, arrays = retarget(clip, read_armature(Path(options["armature"])))
        return common | card, {common["arrays"]: encode_npz(arrays)}
    moved = to_rig(clip, rig, axes="y")
    positions, rotations = rest_pose(moved.skeleton)
    arrays = (
        encode_bones(positions, rotations, moved.skeleton.parents)
        | encode_channels(moved, has_root=bool(RIGS[rig].root))
        | encode_mannequin(make_mannequin_for_rig(skeleton, rig))
    )
    card = common | {
        "rig": rig,
        "bones": list(moved.skeleton.names),
        "parents": list(moved.skeleton.parents),
        "materials": [untextured(*row) for row in SURFACES],
    }
    return card, {card["arrays"]: encode_npz(arrays)}


def encode_channels(clip: MotionClip, has_root: bool) -> Arrays:
    """Encode pose channels: (f, k, 3) locations of the first k bones, (f, j, 4) rotations of all bones.

    Args:
        clip: a clip on the target rig.
        has_root: whether the rig has a root bone above the hips.
    """
    back = conjugate(clip.skeleton.rest_rotations)
    moves = np.stack(root_translations(clip, has_root), 1)
    count = moves.shape[1]
    rotations = make_continuous(multiply(back, clip.rotations))
    return {
        "locations": rotate(back[:count], moves - clip.skeleton.offsets[:count]).astype(np.float32),
        "rotations": rotations[..., W_FIRST].astype(np.float32),
    }


def encode_mannequin(mannequin: Mannequin) -> Arrays:
    """Encode the figure that a clip moves."""
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
    """Convert (..., 3) vectors from Y up to Z up, as float32."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([x, -z, y], -1).astype(np.float32)


def encode_bones(positions: FloatArray, rotations: FloatArray, parents: Sequence[int]) -> Arrays:
    """Encode an armature at rest: (j, 4, 4) matrices and (j,) lengths of its bones, in metres.

    Args:
        positions: (j, 3) positions of the joints in metres, Y up.
        rotations: (j, 4) world rotations; the bones point along their Y axes.
        parents: index of each joint's parent, -1 for a root.
    """
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(positions), 1, 1))
    matrices[:, :3, :3] = to_matrix(multiply(Y_UP_TO_Z_UP, rotations))
    matrices[:, :3, 3] = to_blender(positions)
    return {"bone_matrices": matrices, "bone_lengths": bone_lengths(positions, parents)}


def bone_lengths(positions: FloatArray, parents: Sequence[int]) -> FloatArray:
    """Return (j,) float32 bone lengths in metres: to the first child, or a share of the parent's length without one."""
    lengths = np.zeros(len(positions), np.float32)
    for joint, parent in enumerate(parents):
        child = next((k for k, above in enumerate(parents) if above == joint), None)
        if child is not None:
            lengths[joint] = np.linalg.norm(positions[child] - positions[joint])
        elif parent >= 0:
            lengths[joint] = END_BONE_SHARE * lengths[parent]
    return np.maximum(lengths, MIN_BONE_LENGTH)


def choose_rotations(positions: FloatArray, parents: Sequence[int]) -> FloatArray:
    """Return (j, 4) rotations that point bones at their only child, upwards with several, forwards without any.

    The bones of eyes and jaw, which have no children, point forwards.
    """
    rotations = []
    for joint in range(len(positions)):
        children = [k for k, above in enumerate(parents) if above == joint]
        direction = UP if children else FORWARDS
        if len(children) == 1:
            direction = positions[children[0]] - positions[joint]
        rotations.append(shortest_rotation(UP, direction.astype(np.float64)))
    return np.stack(rotations)


def encode_picture(array: NDArray[np.uint8], text: Mapping[str, str]) -> bytes:
    """Encode a grey, RGB or RGBA image as PNG, with texts by keyword."""
    return encode_png(array, text=text, compress_level=1, latin_text=False)


def encode_npz(arrays: Arrays) -> bytes:
    """Encode arrays as .npz; the same arrays give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", ZIP_EPOCH)
            entry.create_system = 3  # the same bytes on every system
            archive.writestr(entry, content.getvalue())
    return file.getvalue()


ENCODERS: dict[type, Any] = {TextureSet: encode_textures, Mesh: encode_mesh, MotionClip: encode_motion}
