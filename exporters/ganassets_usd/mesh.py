"""A mesh with its materials, its skeleton and its blend shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError

from .geometry import IntArray, add_mesh, add_skeleton, add_skin, add_uvs, bind, floats, ints, transforms
from .materials import Colour, Inputs, Texture, add_materials, encode_png
from .scene import Scene, identifiers, new_scene

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdSkel


def describe_mesh(asset: Mesh) -> Scene:
    """The scene of a mesh. USD's axes and units are those of the assets."""
    topology = asset.topology
    kept = corners_kept(topology)
    if not kept.any():
        raise InputError("a mesh without faces can't be written as USD; give it at least one.")
    skinned = bool(topology.joint_names or topology.morph_names)
    scene = new_scene(asset, "SkelRoot" if skinned else "Xform")
    counts = kept.sum(1)
    mesh = add_mesh(scene, "mesh", asset.positions, asset.normals, counts[counts > 0], topology.faces[kept])
    add_uvs(mesh, topology.uvs, topology.face_uvs[kept])
    used, face_materials = np.unique(topology.face_materials[counts > 0], return_inverse=True)
    materials = [asset.materials[k] for k in used.tolist()]
    labels = identifiers([material.name for material in materials])
    surfaces = {
        label: surface_of(scene, asset, label, material) for label, material in zip(labels, materials, strict=True)
    }
    bind(mesh, add_materials(scene, surfaces), face_materials)
    if skinned:
        skeleton = add_rig(scene, asset, mesh)
        add_blend_shapes(scene, topology, mesh, skeleton)
    return scene


def corners_kept(topology: Topology) -> IntArray:
    """(f, 4) bool: which corners of the quads are left without those that repeat the one before, and without faces of
    fewer than three.
    """
    kept = topology.faces != np.roll(topology.faces, 1, 1)
    return kept & (kept.sum(1, keepdims=True) > 2)


def surface_of(scene: Scene, asset: Mesh, label: str, material: Material) -> Inputs:
    """The inputs of a material's shader; its pictures go to the scene.

    Args:
        scene: that gets it.
        asset: whose material it is.
        label: its name in files'.
        material: of the asset.
    """

    def texture(part: str, pixels: np.ndarray, scale: Colour, srgb: bool = False) -> Texture:
        file = f"{asset.name}_{label}_{part}.png"
        scene.pictures[file] = encode_png(pixels, asset.provenance.keywords(file), srgb)
        return Texture(file, srgb, scale)

    colour, roughness = material.base_colour, material.roughness
    return {
        "diffuseColor": colour if material.albedo is None else texture("albedo", material.albedo, colour, srgb=True),
        "roughness": (
            roughness
            if material.roughness_map is None
            else texture("roughness", material.roughness_map, (roughness, roughness, roughness))
        ),
        "metallic": material.metallic,
    }


def add_rig(scene: Scene, asset: Mesh, mesh: UsdGeom.Mesh) -> UsdSkel.Skeleton:
    """Append the skeleton, whose joints all are parallel to the world at rest, and bind the mesh to it."""
    topology, places = asset.topology, asset.joints.astype(np.float64)
    above = np.array([places[parent] if parent >= 0 else np.zeros(3) for parent in topology.joint_parents])
    upright = np.tile(np.eye(3), (len(places), 1, 1))
    local, world = transforms(upright, places - above.reshape(-1, 3)), transforms(upright, places)
    skeleton = add_skeleton(scene, topology.joint_names, topology.joint_parents, local, world)
    if topology.skin_joints is not None and topology.skin_weights is not None:
        add_skin(mesh, skeleton, topology.skin_joints, topology.skin_weights)
    return skeleton


def add_blend_shapes(scene: Scene, topology: Topology, mesh: UsdGeom.Mesh, skeleton: UsdSkel.Skeleton) -> None:
    """Append the morph targets with the points that they move, and an animation in which their weights are 0: there
    the weights can be keyed.
    """
    from pxr import UsdSkel, Vt

    if not topology.morph_names or topology.morph_offsets is None:
        return
    names = identifiers(topology.morph_names)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    for name, offsets in zip(names, topology.morph_offsets, strict=True):
        moved = np.flatnonzero(offsets.any(-1))
        shape = UsdSkel.BlendShape.Define(scene.stage, mesh.GetPath().AppendChild(name))
        shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(floats(offsets[moved])))
        shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(ints(moved)))
    binding.CreateBlendShapesAttr(names)
    binding.CreateBlendShapeTargetsRel().SetTargets([mesh.GetPath().AppendChild(name) for name in names])
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    weights = UsdSkel.Animation.Define(scene.stage, f"{scene.root}/expression")
    weights.CreateBlendShapesAttr(names)
    weights.CreateBlendShapeWeightsAttr([0.0] * len(names))
    UsdSkel.BindingAPI(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([weights.GetPath()])
