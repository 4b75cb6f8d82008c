"""Import a material on a plane, render it from the front, and print its shader's inputs as JSON.

Usage: python render_material.py PLANE.glb|PLANE.usdz IMAGE.png PIXELS SAMPLES
"""

from __future__ import annotations

import json
import math
import sys

import bpy  # pyright: ignore[reportMissingImports]
from mathutils import Vector  # pyright: ignore[reportMissingImports]

SUN = (-1, -1.2, 1.2)  # direction to the sun, in Blender's axes


def main(path: str, picture: str, pixels: str, samples: str) -> None:
    """Import the plane, render it and report."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=path) if path.endswith(".glb") else bpy.ops.wm.usd_import(filepath=path)
    (plane,) = (o for o in bpy.context.scene.objects if o.type == "MESH")
    report = {
        "version": bpy.app.version_string,
        "name": plane.name,
        "dimensions": list(plane.dimensions),
        "materials": [describe(slot.material) for slot in plane.material_slots],
    }
    render(plane, picture, int(pixels), int(samples))
    print("REPORT " + json.dumps(report))


def describe(material) -> dict:
    """Describe a material: its name, and the sources of each linked shader input."""
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    inputs = {socket.name: sources(socket) for socket in shader.inputs if socket.is_linked}
    for node in material.node_tree.nodes:
        if node.type == "GROUP":  # for values that Blender's shader has no input for
            inputs |= {socket.name: sources(socket) for socket in node.inputs if socket.is_linked}
    return {"name": material.name, "inputs": inputs}


def sources(socket) -> dict:
    """Describe the nodes before an input, and its images with colour space, size and extension."""
    nodes, todo = [], [socket]
    while todo:
        for link in todo.pop().links:
            nodes.append(link.from_node)
            todo += list(link.from_node.inputs)
    pictures = {n.image.name: n for n in nodes if n.type == "TEX_IMAGE"}
    return {
        "nodes": sorted({n.type for n in nodes} - {"TEX_IMAGE"}),
        "channel": socket.links[0].from_socket.name,
        "scales": [list(n.inputs["Scale"].default_value)[:2] for n in nodes if n.type == "MAPPING"],
        "pictures": {
            name: [n.image.colorspace_settings.name, list(n.image.size), n.extension] for name, n in pictures.items()
        },
    }


def render(plane, picture: str, pixels: int, samples: int) -> None:
    """Render the whole plane without perspective, lit by one sun from the upper left."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", max(plane.dimensions)
    camera.location, camera.rotation_euler = (0, -1, 0), (math.pi / 2, 0, 0)  # Blender's front is -Y
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy = 4
    sun.rotation_euler = (-Vector(SUN)).to_track_quat("-Z", "Y").to_euler()
    for thing in (camera, sun):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("world")

    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 0
    scene.cycles.seed = 0
    scene.render.resolution_x = scene.render.resolution_y = pixels
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
