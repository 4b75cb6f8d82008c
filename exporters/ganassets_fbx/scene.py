"""An asset as plain arrays and words that a Blender can make a scene of, in centimetres; see worker.py for what reads
them.

words: name (of the animation), mesh (its name), smoothing, notes (by keyword), bones, parents, morphs, materials,
pictures, fps.
arrays: positions, normals (v, 3); corners (l,) vertices of all faces one after the other, starts (f,), corner_uvs
(l, 2) origin lower left, face_materials (f,); skin_joints, skin_weights (v, 4); offsets (m, v, 3); bone_places (j, 3),
bone_turns (j, 4) of the joints at rest in the world; shifts (f, k, 3) of the first k joints and turns (f, j, 4) by
which they differ from the rest pose, in their own frames; picture_0, picture_1, ... bytes of PNG files.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.assets import Mesh, MotionClip
from ganassets.api.errors import InputError
from ganassets.api.motion.editing import remove_travel
from ganassets.api.motion.kinematics import rest_pose, root_translations
from ganassets.api.motion.mannequin import SURFACES, VRM, Mannequin, make_mannequin_for_rig
from ganassets.api.motion.retarget import to_rig
from ganassets.api.motion.rigs import RIGS
from ganassets.api.motion.rotations import IDENTITY, conjugate, make_continuous, multiply, rotate

from .engines import CENTIMETRES, Engine


@dataclass
class Scene:
    """What goes to Blender.

    Attributes:
        words: what JSON can hold.
        arrays: plain arrays by name.
    """

    words: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


def mesh_scene(mesh: Mesh, engine: Engine, options: Mapping[str, Any]) -> Scene:
    """A mesh with its materials, and its skeleton and morph targets if they are wanted."""
    topology, name = mesh.topology, engine.mesh_name(mesh, options["skin"])
    notes = mesh.provenance.keywords(mesh.name)
    scene = Scene({"name": name, "mesh": name, "smoothing": engine.smoothing, "notes": notes, "fps": 30.0})
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
    if options["skin"] and topology.joint_names:
        assert topology.skin_joints is not None and topology.skin_weights is not None
        scene.words |= {"bones": topology.joint_names, "parents": topology.joint_parents}
        scene.arrays |= {
            "bone_places": mesh.joints * np.float32(CENTIMETRES),
            "bone_turns": np.tile(IDENTITY, (len(mesh.joints), 1)),
            "skin_joints": topology.skin_joints,
            "skin_weights": topology.skin_weights,
        }
    if options["morphs"] and topology.morph_offsets is not None:
        scene.words["morphs"] = topology.morph_names
        scene.arrays["offsets"] = topology.morph_offsets * np.float32(CENTIMETRES)
    return scene


def add_materials(scene: Scene, mesh: Mesh, engine: Engine) -> None:
    """The mesh's materials, and their pictures as PNG files. A picture that several share is written once."""
    scene.words["pictures"] = pictures = []
    numbers: dict[int, int] = {}

    def picture(pattern: str, array: NDArray[np.uint8] | None, material: str) -> int | None:
        if array is None:
            return None
        if id(array) not in numbers:
            numbers[id(array)] = len(pictures)
            scene.arrays[f"picture_{len(pictures)}"] = png_of(array)
            pictures.append(f"{pattern.format(mesh.name, material)}.png")
        return numbers[id(array)]

    scene.words["materials"] = [
        {
            "name": material.name,
            "base_colour": material.base_colour,
            "roughness": material.roughness,
            "metallic": material.metallic,
            "albedo": picture(engine.colour, material.albedo, material.name),
            "roughness_map": picture(engine.roughness, material.roughness_map, material.name),
        }
        for material in mesh.materials
    ]


def png_of(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="PNG", compress_level=1)
    return np.frombuffer(file.getvalue(), np.uint8)


def clip_scene(clip: MotionClip, engine: Engine, options: Mapping[str, Any]) -> Scene:
    """A clip's skeleton and its motion, and a mannequin if it is wanted. Blender writes no animation of one frame, so
    that is held for two.
    """
    rig = engine.rig if options["rig"] == "engine" else options["rig"]
    mannequin = make_mannequin_for_rig(clip.skeleton, rig) if options["mannequin"] else None
    if options["root"] == "in-place":
        clip = remove_travel(clip)
    if rig != VRM:
        clip = to_rig(clip, rig)
    if len(clip) == 1:
        clip = replace(clip, translation=clip.translation.repeat(2, 0), rotations=clip.rotations.repeat(2, 0))
    places, turns = rest_pose(clip.skeleton)
    back = conjugate(clip.skeleton.rest_rotations)
    moves = np.stack(root_translations(clip, has_root=bool(RIGS[rig].root)), 1)
    moved = moves.shape[1]
    words = {
        "name": engine.clip.format(clip.name),
        "smoothing": engine.smoothing,
        "notes": clip.provenance.keywords(clip.name),
        "bones": clip.skeleton.names,
        "parents": clip.skeleton.parents,
        "fps": clip.fps,
    }
    arrays = {
        "bone_places": places * CENTIMETRES,
        "bone_turns": turns,
        "shifts": rotate(back[:moved], moves - clip.skeleton.offsets[:moved]) * np.float32(CENTIMETRES),
        "turns": make_continuous(multiply(back, clip.rotations)),
    }
    scene = Scene(words, arrays)
    if mannequin:
        add_mannequin(scene, mannequin)
    return scene


def add_mannequin(scene: Scene, mannequin: Mannequin) -> None:
    """The figure that the clip moves."""
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
    scene.words |= {"mesh": "mannequin", "pictures": [], "materials": [plain(*row) for row in SURFACES]}


def plain(name: str, colour: tuple[float, float, float], roughness: float) -> dict[str, Any]:
    """A material without pictures."""
    factors = {"base_colour": colour, "roughness": roughness, "metallic": 0.0}
    return {"name": name, **factors, "albedo": None, "roughness_map": None}
