"""Describe an asset as arrays and metadata from which Blender builds a scene, in centimetres with Y up.

FBX means centimetres with Y up where a file says nothing else. Every engine converts that on import, so that no node
needs a rotation or a scale. worker.py reads:

- metadata: name (of the file and the animation), mesh (name of the mesh), smoothing, properties (text by keyword),
  bones, parents, morphs, materials, images, fps.
- arrays of the mesh: positions, normals (v, 3); corners (l,) vertices of all faces one after the other, starts (f,),
  corner_uvs (l, 2) origin lower left, face_materials (f,); skin_joints, skin_weights (v, 4); offsets (m, v, 3) of the
  morph targets; image_0, image_1, ... bytes of PNG files.
- arrays of the skeleton: bone_positions (j, 3), bone_rotations (j, 4) of the joints at rest in the world.
- arrays of the motion, relative to the rest pose in each joint's own frame: translations (f, k, 3) of the first k
  joints, rotations (f, j, 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Mesh, MotionClip
from ganassets.api.engines import Engine
from ganassets.api.errors import InputError
from ganassets.api.images.encoding import encode_png
from ganassets.api.motion.editing import remove_travel
from ganassets.api.motion.kinematics import rest_pose, root_translations
from ganassets.api.motion.mannequin import SURFACES, VRM, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, make_continuous, multiply, rotate

CENTIMETRES = 100.0  # in a metre
STILL_FPS = 30.0  # frames per second of files without motion
PNG_LEVEL = 1  # the fastest compression


@dataclass
class BlenderScene:
    """Scene to send to Blender; the module's docstring lists the keys.

    Attributes:
        metadata: Values that JSON can hold.
        arrays: Arrays by name.
    """

    metadata: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def make_mesh_scene(mesh: Mesh, engine: Engine, options: Mapping[str, Any]) -> BlenderScene:
    """Describe a mesh with its materials, and with skeleton and morph targets if the options ask for them.

    Raises:
        InputError: The mesh has no faces.
    """
    topology = mesh.topology
    skinned = options["skin"] and bool(topology.joint_names)
    name = (engine.skinned_mesh if skinned else engine.static_mesh).format(mesh.name)
    properties = mesh.provenance.keywords(mesh.name)
    scene = BlenderScene(
        {"name": name, "mesh": name, "smoothing": engine.fbx_smoothing, "properties": properties, "fps": STILL_FPS}
    )
    corners, starts, kept = topology.polygons()
    if not len(starts):
        raise InputError("a mesh without faces can't be written as FBX; give it at least one.")
    uvs = topology.uvs[topology.face_uvs[kept]]
    scene.arrays |= {
        "positions": mesh.positions * np.float32(CENTIMETRES),
        "normals": mesh.normals,
        "corners": corners,
        "starts": starts,
        "corner_uvs": np.stack([uvs[:, 0], 1 - uvs[:, 1]], -1),
        "face_materials": topology.face_materials[kept.any(1)],
    }
    add_materials(scene, mesh, engine)
    if skinned:
        assert topology.skin_joints is not None and topology.skin_weights is not None
        scene.metadata |= {"bones": topology.joint_names, "parents": topology.joint_parents}
        scene.arrays |= {
            "bone_positions": mesh.joints * np.float32(CENTIMETRES),
            "bone_rotations": np.tile(IDENTITY, (len(mesh.joints), 1)),
            "skin_joints": topology.skin_joints,
            "skin_weights": topology.skin_weights,
        }
    if options["morphs"] and topology.morph_offsets is not None:
        scene.metadata["morphs"] = topology.morph_names
        scene.arrays["offsets"] = topology.morph_offsets * np.float32(CENTIMETRES)
    return scene


def add_materials(scene: BlenderScene, mesh: Mesh, engine: Engine) -> None:
    """Add a mesh's materials and their images; an array that several materials share is written once."""
    scene.metadata["images"] = images = []
    numbers: dict[int, int] = {}

    def add_image(pattern: str, pixels: NDArray[np.uint8] | None, material: str) -> int | None:
        if pixels is None:
            return None
        if id(pixels) not in numbers:
            numbers[id(pixels)] = len(images)
            png = encode_png(pixels, compress_level=PNG_LEVEL)
            scene.arrays[f"image_{len(images)}"] = np.frombuffer(png, np.uint8)
            images.append(f"{pattern.format(mesh.name, material)}.png")
        return numbers[id(pixels)]

    scene.metadata["materials"] = [
        {
            "name": material.name,
            "base_colour": material.base_colour,
            "roughness": material.roughness,
            "metallic": material.metallic,
            "albedo": add_image(engine.mesh_albedo, material.albedo, material.name),
            "roughness_map": add_image(engine.mesh_roughness, material.roughness_map, material.name),
        }
        for material in mesh.materials
    ]


def make_clip_scene(clip: MotionClip, engine: Engine, options: Mapping[str, Any]) -> BlenderScene:
    """Describe a clip's skeleton and motion, and a mannequin if the options ask for it.

    Blender writes no animation of one frame; a clip of one frame gets a second, equal one.
    """
    rig = engine.rig if options["rig"] == "engine" else options["rig"]
    mannequin = make_mannequin_for_rig(clip.skeleton, rig) if options["mannequin"] else None
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    if rig != VRM:
        clip = to_rig(clip, rig)
    if len(clip) == 1:
        clip = replace(clip, translation=clip.translation.repeat(2, 0), rotations=clip.rotations.repeat(2, 0))
    positions, rotations = rest_pose(clip.skeleton)
    back = conjugate(clip.skeleton.rest_rotations)
    translations = np.stack(root_translations(clip, has_root=bool(RIGS[rig].root)), 1)
    count = translations.shape[1]
    metadata = {
        "name": engine.animation.format(clip.name),
        "smoothing": engine.fbx_smoothing,
        "properties": clip.provenance.keywords(clip.name),
        "bones": clip.skeleton.names,
        "parents": clip.skeleton.parents,
        "fps": clip.fps,
    }
    arrays = {
        "bone_positions": positions * CENTIMETRES,
        "bone_rotations": rotations,
        "translations": rotate(back[:count], translations - clip.skeleton.offsets[:count]) * np.float32(CENTIMETRES),
        "rotations": make_continuous(multiply(back, clip.rotations)),
    }
    scene = BlenderScene(metadata, arrays)
    if mannequin:
        add_mannequin(scene, mannequin)
    return scene


def add_mannequin(scene: BlenderScene, mannequin: Mannequin) -> None:
    """Add the mannequin that a clip moves."""
    corners, starts, materials = mannequin.polygons()
    scene.arrays |= {
        "positions": mannequin.positions * np.float32(CENTIMETRES),
        "normals": mannequin.normals,
        "corners": corners,
        "starts": starts,
        "corner_uvs": np.zeros((len(corners), 2), np.float32),
        "face_materials": materials,
        "skin_joints": mannequin.joints,
        "skin_weights": mannequin.weights,
    }
    scene.metadata |= {"mesh": "mannequin", "images": [], "materials": [untextured_material(*row) for row in SURFACES]}


def untextured_material(name: str, colour: tuple[float, float, float], roughness: float) -> dict[str, Any]:
    """Describe a non-metallic material without images."""
    factors = {"base_colour": colour, "roughness": roughness, "metallic": 0.0}
    return {"name": name, **factors, "albedo": None, "roughness_map": None}
