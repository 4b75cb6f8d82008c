"""Build assets from parts in Blender, and describe them as JSON.

Usage: python build_assets.py -- volume_writer.py FOLDER build|timer|reopen [VOLUME.blend]

The folder holds bricks.json, head.json, walk.json and pose.json, and receives files. "build" builds all assets in
several ways; "timer" builds them in a timer of a window and compares the user's state; "reopen" describes a volume.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

# isort: split
import bmesh  # pyright: ignore[reportMissingImports]  # importing bpy makes it available

TERMS = (True, "An Author", "CC0-1.0")  # pack, author, licence
COUNTED = ("objects", "meshes", "armatures", "materials", "images", "actions", "collections", "scenes")
TOOLS = {"OBJECT": "builtin.move", "EDIT": "builtin.rotate", "POSE": "builtin.scale"}
FRAMES = (1, 18, 46)


class BuilderPackage:
    """The add-on's package "builders" and the parts of some assets.

    Attributes:
        package: the package.
        folder: folder with the parts.
        cards: cards of the assets by name.
    """

    def __init__(self, script: str, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("volume_writer", script)
        assert spec and spec.loader
        writer = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(writer)
        self.package, self.folder = writer.builders, folder
        self.cards = {path.stem: self.package.read_card(str(path)) for path in folder.glob("*.json")}

    def steps(self, name: str, *terms: Any, **options: Any) -> Any:
        """Steps that build an asset."""
        package = self.package
        build = {"textures": package.materials.build, "mesh": package.meshes.build, "motion": package.clips.build}
        card = self.cards[name]
        return build[card["kind"]](card, str(self.folder), *(terms or TERMS), **options)

    def build(self, name: str, *terms: Any, **options: Any) -> Any:
        """Build an asset."""
        return self.package.run_to_end(self.steps(name, *terms, **options))


def main(script: str, folder: str, action: str, *more: str) -> None:
    """Run an action and report."""
    builders = BuilderPackage(script, Path(folder))
    if action == "timer":
        bpy.app.timers.register(lambda: end(user_state(builders)), first_interval=1)
    else:
        end({"build": build, "reopen": reopen}[action](builders, *more))


def end(report: Any) -> None:
    """Print the report and exit at once: the module of Blender 4.2 crashes on exit after a glTF export."""
    print("REPORT " + json.dumps(report), flush=True)
    os._exit(0)


def build(builders: BuilderPackage) -> dict[str, Any]:
    """Build all assets and describe them."""
    report: dict[str, Any] = {"version": list(bpy.app.version)}
    for describe in (user_state, cancelled, refused, material, gltf, head, clip, pose, retargeted, longest_steps):
        bpy.ops.wm.read_factory_settings(use_empty=describe is not user_state)
        report[describe.__name__] = describe(builders)
    return report


def reopen(builders: BuilderPackage, file: str) -> dict[str, Any]:
    """Describe the content of a volume."""
    bpy.ops.wm.open_mainfile(filepath=file)
    assets = [thing for kind in ("materials", "collections", "actions") for thing in getattr(bpy.data, kind)]
    previews = {thing.name: thing.preview for thing in assets if thing.asset_data}
    pictures = {builders.cards[name]["title"]: builders.cards[name]["thumbnail"] for name in builders.cards}
    off = {}
    for name, preview in previews.items():
        image = bpy.data.images.load(str(builders.folder / pictures[name]))
        assert preview and tuple(preview.image_size) == tuple(image.size), name
        expected = np.array(image.pixels[:])
        off[name] = float(abs(np.array(preview.image_pixels_float[:]) - expected).max())
        bpy.data.images.remove(image)
    return {
        "counts": {kind: len(getattr(bpy.data, kind)) for kind in (*COUNTED, "node_groups", "cameras", "lights")},
        "previews": off,
        "icons": sorted({tuple(preview.icon_size) for preview in previews.values()}),
        "pictures": [
            [image.name, image.filepath, bool(image.packed_file), Path(bpy.path.abspath(image.filepath)).is_file()]
            for image in bpy.data.images
        ],
        "same_bytes": all(
            image.packed_file.data == (builders.folder / image.name).read_bytes()
            for image in bpy.data.images
            if image.packed_file
        ),
        "from": {thing.name: dict(thing["ganassets"].items()) for thing in assets if thing.asset_data},
        "tags": {thing.name: [tag.name for tag in thing.asset_data.tags] for thing in assets if thing.asset_data},
    }


def user_state(builders: BuilderPackage) -> list[Any]:
    """The user's state before and after assets are built, in several modes."""
    cube, camera = bpy.data.objects["Cube"], bpy.data.objects["Camera"]
    bpy.data.scenes.new("Another")
    armature = bpy.data.objects.new("Mine", bpy.data.armatures.new("Mine"))
    bpy.context.scene.collection.objects.link(armature)
    layer = bpy.context.view_layer
    found: list[Any] = []

    def look() -> list[Any]:
        window = bpy.context.window_manager.windows[0]
        edited = bmesh.from_edit_mesh(cube.data) if cube.mode == "EDIT" else None
        return [
            window.scene.name,
            [scene.name for scene in bpy.data.scenes],
            bpy.context.mode,
            layer.objects.active.name if layer.objects.active else None,
            sorted(thing.name for thing in layer.objects if thing.select_get()),
            [(thing.name, thing.mode) for thing in layer.objects],
            {tool.mode: tool.idname for tool in window.workspace.tools},
            [(vertex.select, list(vertex.co)) for vertex in edited.verts] if edited else [],
        ]

    def begin(active: Any, mode: str) -> None:
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for thing in layer.objects:
            thing.select_set(thing in (camera, active))
        layer.objects.active = active
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)
        if mode == "EDIT" and active is cube:
            mesh = bmesh.from_edit_mesh(cube.data)
            for vertex in mesh.verts:
                vertex.select_set(vertex.index == 3)
            mesh.verts.ensure_lookup_table()
            mesh.verts[3].co.x = 7  # not stored in the mesh until Edit Mode is left
            bmesh.update_edit_mesh(cube.data)
        if mode in TOOLS and not bpy.app.background:
            area = next(area for area in bpy.context.window.screen.areas if area.type == "VIEW_3D")
            with bpy.context.temp_override(area=area):
                bpy.ops.wm.tool_set_by_id(name=TOOLS[mode])

    for active, mode in ((None, "OBJECT"), (cube, "EDIT"), (armature, "EDIT"), (armature, "POSE"), (cube, "SCULPT")):
        for window in ({}, {"window": None}):  # a timer's context has none
            begin(active, mode)
            before = look()
            with bpy.context.temp_override(**window):
                for name in builders.cards:
                    builders.build(name)
            found.append([before, look()])
    return found


def cancelled(builders: BuilderPackage) -> dict[str, Any]:
    """Numbers of data blocks that are left when building is cancelled after a step."""
    builders.build("bricks")  # creates the node group that all materials share
    left = {}
    for name in builders.cards:
        before, steps = count_data(), sum(1 for _ in builders.steps(name))
        wrong = []
        bpy.data.batch_remove([thing for kind in COUNTED[:-1] for thing in getattr(bpy.data, kind)])
        before = count_data()
        for stop in {*range(12), *range(12, steps, 9), steps - 1}:
            building = builders.steps(name)
            for _ in range(stop):
                next(building, None)
            building.close()
            if count_data() != before and stop < steps:
                wrong.append([stop, count_data()])
        left[name] = {"steps": steps, "wrong": wrong, "before": before}
    return left


def count_data() -> list[int]:
    """Number of data blocks of each kind."""
    return [len(getattr(bpy.data, kind)) for kind in COUNTED]


def refused(builders: BuilderPackage) -> list[list[Any]]:
    """Messages about parts that can't be built, and whether no data blocks are left of them."""
    head, walk, bricks = (builders.cards[name] for name in ("head", "walk", "bricks"))
    (builders.folder / "broken.npz").write_bytes((builders.folder / head["arrays"]).read_bytes()[:-5000])
    np.savez(builders.folder / "empty.npz")
    (builders.folder / "other.card").write_text('{"format": 99}')
    package, folder = builders.package, str(builders.folder)
    armature = bpy.data.objects.new("Mine", bpy.data.armatures.new("Mine"))
    before = count_data()
    attempts = (
        lambda: package.meshes.build(head | {"arrays": "broken.npz"}, folder, *TERMS),
        lambda: package.meshes.build(head | {"arrays": "none.npz"}, folder, *TERMS),
        lambda: package.meshes.build(head | {"arrays": "empty.npz"}, folder, *TERMS),
        lambda: package.materials.build(bricks | {"files": {"albedo": "none.png"}}, folder, *TERMS),
        lambda: package.clips.build(walk, folder, *TERMS, armature=armature),
        lambda: package.clips.build(walk | {"target": True}, folder, *TERMS),
        lambda: package.read_card(folder + "/other.card"),
        lambda: package.read_card(folder + "/none.json"),
    )
    found = []
    for attempt in attempts:
        try:
            package.run_to_end(attempt())
            found.append(["nothing", count_data() == before])
        except package.BuildError as problem:
            found.append([str(problem), count_data() == before])
    return found


def material(builders: BuilderPackage) -> dict[str, Any]:
    """Describe the nodes of a material."""
    builders.cards["bricks"]["colour"] = [0.25, 0.5, 0.75]
    made = builders.build("bricks")
    nodes = {node.label or node.bl_idname: node for node in made.node_tree.nodes}
    pictures = {label: node for label, node in nodes.items() if node.type == "TEX_IMAGE"}
    mapping = next(node for node in made.node_tree.nodes if node.type == "MAPPING")
    displacement = next(node for node in made.node_tree.nodes if node.type == "DISPLACEMENT")
    separate = made if hasattr(made, "displacement_method") else made.cycles
    return {
        "name": made.name,
        "links": sorted(
            [link.from_node.type, link.from_socket.name, link.to_node.type, link.to_socket.name]
            for link in made.node_tree.links
        ),
        "pictures": {
            label: [node.image.name, node.image.colorspace_settings.name, node.extension, node.image.filepath]
            for label, node in pictures.items()
        },
        "same_bytes": all(
            node.image.packed_file.data == (builders.folder / node.image.name).read_bytes()
            for node in pictures.values()
        ),
        "tile": [mapping.label, list(mapping.inputs["Scale"].default_value)],
        "displacement": [displacement.inputs[name].default_value for name in ("Midlevel", "Scale")],
        "method": separate.displacement_method,
        "from": dict(made["ganassets"].items()),
        "colour": list(made.diffuse_color),
        "backwards": [
            [link.from_node.name, link.to_node.name]
            for link in made.node_tree.links
            if node_x(link.from_node) >= node_x(link.to_node)
        ],
        "unpacked": [Path(picture.filepath).is_file() for picture in loose_pictures(builders)],
    }


def node_x(node: Any) -> float:
    """Horizontal place of a node."""
    return node.location.x + (node_x(node.parent) if node.parent else 0)


def loose_pictures(builders: BuilderPackage) -> list[Any]:
    """Images of a material that is built without packing them."""
    made = builders.build("bricks", False, "", "")
    nodes = [node for node in made.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert not any(node.image.packed_file for node in nodes)
    return [node.image for node in nodes]


def gltf(builders: BuilderPackage) -> str:
    """Export a plane with a material as glTF; returns the path of the file."""
    data = bpy.data.meshes.new("plane")
    data.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    data.uv_layers.new().data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
    data.materials.append(builders.build("bricks"))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("plane", data))
    bpy.context.view_layer.update()
    path = builders.folder / "plane.gltf"
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLTF_SEPARATE")
    return str(path)


def head(builders: BuilderPackage) -> dict[str, Any]:
    """Describe a head, and how far its shape keys and bones move it."""
    card = builders.cards["head"]
    with np.load(builders.folder / card["arrays"]) as file:
        arrays = dict(file)
    collection = builders.build("head")
    (thing,) = (part for part in collection.objects if part.type == "MESH")
    (armature,) = (part for part in collection.objects if part.type == "ARMATURE")
    mesh = thing.data
    linked = [scene.name for scene in bpy.data.scenes if collection in scene.collection.children_recursive]
    bpy.context.scene.collection.children.link(collection)
    rest = evaluated(thing)
    still = float(abs(rest - arrays["positions"]).max())
    keys = mesh.shape_keys.key_blocks
    moved = {}
    for key in keys[1:]:
        key.value = 1.0
        moved[key.name] = float(abs(evaluated(thing) - rest).max())
        key.value = 0.0
    jaw = armature.pose.bones["jaw"]
    jaw.rotation_quaternion = (0.97, 0.24, 0, 0)
    opened = float(abs(evaluated(thing) - rest).max())
    groups = [{g.group: g.weight for g in vertex.groups} for vertex in mesh.vertices]
    weights = np.array([[row.get(bone, 0.0) for bone in range(len(card["bones"]))] for row in groups])
    expected = np.stack([(arrays["skin_weights"] * (arrays["skin_joints"] == b)).sum(1) for b in range(5)], 1)
    uvs, counted = np.empty((len(mesh.loops), 2), np.float32), np.empty(len(mesh.polygons), np.int32)
    mesh.uv_layers[0].data.foreach_get("uv", uvs.ravel())
    mesh.polygons.foreach_get("material_index", counted)
    return {
        "names": sorted([part.name, part.type] for part in collection.objects),
        "linked": linked,
        "vertices": len(mesh.vertices),
        "corners": sorted({len(polygon.vertices) for polygon in mesh.polygons}),
        "smooth": all(polygon.use_smooth for polygon in mesh.polygons),
        "valid": not mesh.validate(),
        "uvs": float(abs(uvs - arrays["corner_uvs"]).max()),
        "normals": normals_off(mesh, arrays),
        "materials": [slot.name for slot in mesh.materials],
        "faces": bool((counted == arrays["face_materials"]).all()),
        "keys": [key.name for key in keys],
        "values": sorted({key.value for key in keys[1:]}),
        "moved": moved,
        "still": still,
        "opened": opened,
        "weights": float(abs(weights - expected).max()),
        "groups": [group.name for group in thing.vertex_groups],
        "modifiers": [[m.type, m.object is armature] for m in thing.modifiers],
        "parent": thing.parent is armature,
        "bones": {bone.name: bone.parent.name if bone.parent else None for bone in armature.data.bones},
        "bones_off": bones_off(armature, card, arrays),
        "from": sorted(thing["ganassets"].keys()),
    }


def evaluated(thing: Any) -> np.ndarray:
    """Return (v, 3) vertices after modifiers and shape keys."""
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", positions.ravel())
    return positions


def normals_off(mesh: Any, arrays: dict[str, np.ndarray]) -> float:
    """Largest angle in degrees between the corners' normals and those of the asset."""
    if hasattr(mesh, "calc_normals_split"):  # until 4.1
        mesh.calc_normals_split()
    normals = np.empty((len(mesh.loops), 3), np.float32)
    mesh.loops.foreach_get("normal", normals.ravel())
    cosines = (normals * arrays["normals"][arrays["corners"]]).sum(1)
    return float(np.degrees(np.arccos(cosines.clip(-1, 1)).max()))


def bones_off(armature: Any, card: dict[str, Any], arrays: dict[str, np.ndarray]) -> float:
    """Largest difference between the bones' matrices and lengths and those of the asset."""
    bones = [armature.data.bones[name] for name in card["bones"]]
    matrices = np.array([bone.matrix_local for bone in bones])
    lengths = np.array([bone.length for bone in bones])
    differences = (matrices - arrays["bone_matrices"], lengths - arrays["bone_lengths"])
    return float(max(abs(difference).max() for difference in differences))


def clip(builders: BuilderPackage) -> dict[str, Any]:
    """Describe a clip's F-curves, and the bones' positions in some frames."""
    action, collection = builders.build("walk")
    armature = next(part for part in collection.objects if part.type == "ARMATURE")
    bpy.context.scene.collection.children.link(collection)
    curves = builders.package.clips.get_channels(action).fcurves
    slow, _ = builders.build("walk", armature=armature, fps=60.0, start=101.0)
    times = [point.co.x for point in builders.package.clips.get_channels(slow).fcurves[0].keyframe_points]
    assign_action(armature, action)
    return {
        "name": action.name,
        "curves": len(curves),
        "groups": [group.name for group in builders.package.clips.get_channels(action).groups],
        "keys": sorted({len(curve.keyframe_points) for curve in curves}),
        "interpolation": sorted({point.interpolation for curve in curves for point in curve.keyframe_points}),
        "range": list(action.frame_range),
        "cyclic": action.use_cyclic,
        "slots": [slot.identifier for slot in getattr(action, "slots", ())],
        "used": getattr(armature.animation_data, "action_slot", action) is not None,
        "slow": [times[0], times[1], times[-1]],
        "heads": [heads_at(armature, frame) for frame in FRAMES],
        "objects": sorted(part.type for part in collection.objects),
        "from": sorted(action["ganassets"].keys()),
    }


def assign_action(armature: Any, action: Any) -> None:
    """Assign an action to an armature, as a user does."""
    armature.animation_data_create().action = action
    if hasattr(action, "slots"):
        armature.animation_data.action_slot = action.slots[0]


def heads_at(armature: Any, frame: int) -> dict[str, list[float]]:
    """Positions of the bone heads in a frame, by name."""
    bpy.context.scene.frame_set(frame)
    return {bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones}


def pose(builders: BuilderPackage) -> dict[str, Any]:
    """Apply a pose to an armature, as the pose library does."""
    action, collection = builders.build("pose")
    card, folder = builders.cards["pose"], str(builders.folder)
    builders.package.mark_as_asset(action, card, folder, "An Author", "", "12345678-1234-4234-8234-123456789012")
    armature = next(part for part in collection.objects if part.type == "ARMATURE")
    bpy.context.scene.collection.children.link(collection)
    performed = heads_at(armature, 1)
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.location, bone.rotation_quaternion = (0, 0, 0), (1, 0, 0, 0)
    rest = heads_at(armature, 1)
    armature.pose.apply_pose_from_action(action)
    bpy.context.view_layer.update()
    return {
        "keys": sorted({len(c.keyframe_points) for c in builders.package.clips.get_channels(action).fcurves}),
        "range": list(action.curve_frame_range if hasattr(action, "curve_frame_range") else action.frame_range),
        "asset": action.asset_data is not None,
        "catalog": action.asset_data.catalog_id,
        "rest": rest,
        "performed": performed,
        "applied": heads_at(armature, 1),
    }


def retargeted(builders: BuilderPackage) -> dict[str, Any]:
    """Play a clip on a user's armature whose bones have various rotation modes and which has an action already."""
    _, collection = builders.build("walk")
    armature = next(part for part in collection.objects if part.type == "ARMATURE")
    bpy.context.scene.collection.children.link(collection)
    expected = [heads_at(armature, frame) for frame in FRAMES]
    armature.animation_data_clear()
    modes = ("XYZ", "ZYX", "AXIS_ANGLE", "QUATERNION", "YXZ")
    for number, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = modes[number % len(modes)]
    armature.location, armature["mine"] = (1, 2, 0), "kept"
    armature.pose.bones[3].constraints.new("COPY_ROTATION").mute = True
    before = bpy.data.actions.new("Before")
    armature.animation_data_create().action = before
    bones = armature.pose.bones
    bones[5]["IK_FK"] = bones[6]["IK_FK"] = 0.0
    custom = [[bones[5].name, "IK_FK", 1.0], [bones[7].name, "IK_FK", 1.0]]
    changes = {"target": True, "moved": [bones[0].name], "custom": custom}
    builders.cards["retargeted"] = {
        name: row for name, row in builders.cards["walk"].items() if name != "parents"
    } | changes
    action, made = builders.build("retargeted", armature=armature)
    got = [heads_at(armature, frame) for frame in FRAMES]
    offset = np.array([1, 2, 0])
    off = max(abs(np.array(b[name]) - offset - a[name]).max() for a, b in zip(expected, got, strict=True) for name in a)
    return {
        "off": float(off),
        "made": made,
        "performs": armature.animation_data.action is action,
        "before": before.use_fake_user,
        "kept": [list(armature.location), armature["mine"], len(armature.pose.bones[3].constraints)],
        "custom": [bones[number].get("IK_FK") for number in (5, 6, 7)],
        "modes": [bone.rotation_mode for bone in armature.pose.bones][:5],
    }


def longest_steps(builders: BuilderPackage) -> dict[str, Any]:
    """Processor time of each asset and of its longest step, in milliseconds: the smallest of three runs."""
    found = {}
    for name in ("bricks", "head", "walk", "pose"):
        runs = []
        for _ in range(3):
            times, building = [], builders.steps(name)
            while True:
                start = time.thread_time()
                if next(building, building) is building:
                    break
                times.append((time.thread_time() - start) * 1e3)
            runs.append([sum(times), max(times)])
        found[name] = [min(column) for column in zip(*runs, strict=True)]
    return found


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
