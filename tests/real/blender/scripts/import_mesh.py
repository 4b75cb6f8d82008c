"""Import a mesh, describe it as JSON, and render it if the path of an image is given.

Usage: python import_mesh.py HEAD.glb [IMAGE.png [SAMPLES [EXPRESSION]]]
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
from mathutils import Vector  # pyright: ignore[reportMissingImports]

IMPORTERS = {
    ".glb": lambda path: bpy.ops.import_scene.gltf(filepath=path, disable_bone_shape=True),
    ".fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    ".obj": lambda path: bpy.ops.wm.obj_import(filepath=path),
    ".ply": lambda path: bpy.ops.wm.ply_import(filepath=path),
    ".stl": lambda path: bpy.ops.wm.stl_import(filepath=path),
    ".usdc": lambda path: bpy.ops.wm.usd_import(filepath=path),
    ".usdz": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


def main(path: str, picture: str = "", samples: str = "32", expression: str = "") -> None:
    """Import the mesh, render it and report."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    IMPORTERS[Path(path).suffix](path)
    report = describe()
    if picture:
        render(picture, int(samples), expression)
    print("REPORT " + json.dumps(report))


def describe() -> dict:
    """Describe the first mesh of the scene, its materials, shape keys and armature."""
    meshes = [o for o in bpy.context.scene.objects if o.type == "MESH"]
    armatures = [o for o in bpy.context.scene.objects if o.type == "ARMATURE"]
    mesh = meshes[0]
    keys = mesh.data.shape_keys
    return {
        "version": bpy.app.version_string,
        "meshes": [o.name for o in meshes],
        "vertices": len(mesh.data.vertices),
        "uv_layers": [layer.name for layer in mesh.data.uv_layers],
        "shape_keys": [key.name for key in keys.key_blocks] if keys else [],
        "largest_offsets": {key.name: largest_offset(keys, key) for key in keys.key_blocks} if keys else {},
        "bones": {bone.name: bone.parent.name if bone.parent else None for a in armatures for bone in a.data.bones},
        "vertex_groups": [group.name for group in mesh.vertex_groups],
        "modifiers": [modifier.type for modifier in mesh.modifiers],
        "materials": {slot.material.name: base_colour_source(slot.material) for slot in mesh.material_slots},
        "faces_by_material": faces_by_material(mesh),
        "corners": Counter(len(polygon.vertices) for polygon in mesh.data.polygons),
        "dimensions": list(mesh.dimensions),
    }


def largest_offset(keys, key) -> float:
    """Largest distance in metres by which a shape key moves a vertex."""
    base = keys.reference_key
    return max((a.co - b.co).length for a, b in zip(key.data, base.data, strict=True))


def base_colour_source(material) -> str:
    """Name, size and colour space of the image behind a material's base colour, or ""."""
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    nodes, todo = set(), [shader.inputs["Base Color"]]
    while todo:
        for link in todo.pop().links:
            nodes.add(link.from_node)
            todo += list(link.from_node.inputs)
    pictures = [n.image for n in nodes if n.type == "TEX_IMAGE"]
    return " ".join(f"{p.name} {p.size[0]}x{p.size[1]} {p.colorspace_settings.name}" for p in pictures)


def faces_by_material(mesh) -> dict[str, int]:
    """Number of faces of each material."""
    names = [slot.material.name for slot in mesh.material_slots]
    return Counter(names[polygon.material_index] for polygon in mesh.data.polygons if names)


def render(picture: str, samples: int, expression: str) -> None:
    """Render a portrait, with an expression if one is named: 85 mm lens, three soft lights, grey backdrop."""
    scene = bpy.context.scene
    mesh = next(o for o in bpy.context.scene.objects if o.type == "MESH")
    for polygon in mesh.data.polygons:
        polygon.use_smooth = True
    if expression:
        mesh.data.shape_keys.key_blocks[expression].value = 1.0
    corners = [mesh.matrix_world @ Vector(corner) for corner in mesh.bound_box]
    low = Vector([min(c[i] for c in corners) for i in range(3)])
    high = Vector([max(c[i] for c in corners) for i in range(3)])
    centre, height = (low + high) / 2, high.z - low.z

    # The front is -Y in Blender. The head fills 84 % of the image's height on a sensor that is 24 mm high.
    turn = math.radians(24)
    distance = height / 0.84 * 85 / 24
    camera = add_camera(scene, centre + distance * Vector((math.sin(turn), -math.cos(turn), 0.04)), centre)
    camera.lens, camera.sensor_fit, camera.sensor_height = 85, "VERTICAL", 24
    # Powers are for a head of 0.3 m; scaled with the square of the height, all heads look equally bright.
    power = (height / 0.3) ** 2
    add_light("key", centre + height * Vector((-1.6, -3.2, 1.6)), centre, 1.4 * height, 14 * power)
    add_light("fill", centre + height * Vector((3.4, -2.2, 0.0)), centre, 2.6 * height, 3.2 * power)
    add_light("rim", centre + height * Vector((2.0, 2.6, 1.8)), centre, 1.0 * height, 11 * power)
    wall = centre + height * Vector((0, 4, 0))
    add_light("wall", centre + height * Vector((0, 1.6, -1.6)), wall, height, 7 * power)
    add_backdrop(wall, 40 * height)
    add_world(scene)

    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.max_bounces = 4
    scene.cycles.seed = 0
    scene.render.resolution_x = scene.render.resolution_y = 512
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)


def look_at(thing, target: Vector) -> None:
    """Point a camera or light at a target."""
    thing.rotation_euler = (target - thing.location).to_track_quat("-Z", "Y").to_euler()


def add_camera(scene, position: Vector, target: Vector):
    """Add the scene's camera; returns its data."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = position
    look_at(camera, target)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera.data


def add_light(name: str, position: Vector, target: Vector, size: float, watts: float) -> None:
    """Add a square area light.

    Args:
        name: name of the light.
        position: place of the light.
        target: point that it shines at.
        size: side in metres.
        watts: power.
    """
    light = bpy.data.objects.new(name, bpy.data.lights.new(name, "AREA"))
    light.data.size, light.data.energy = size, watts
    light.location = position
    look_at(light, target)
    bpy.context.scene.collection.objects.link(light)


def add_backdrop(position: Vector, size: float) -> None:
    """Add a grey wall behind the head."""
    bpy.ops.mesh.primitive_plane_add(size=size, location=position, rotation=(math.pi / 2, 0, 0))
    material = bpy.data.materials.new("backdrop")
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.2, 0.2, 0.21, 1)
    shader.inputs["Roughness"].default_value = 1.0
    bpy.context.object.data.materials.append(material)


def add_world(scene) -> None:
    """Add a dim, uniform sky."""
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    background = scene.world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.8, 0.85, 0.9, 1)
    background.inputs["Strength"].default_value = 0.35


if __name__ == "__main__":
    main(*sys.argv[1:])
