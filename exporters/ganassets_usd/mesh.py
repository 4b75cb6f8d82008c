"""Build the stage of a mesh with its materials, its skeleton and its blend shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError
from ganassets.api.images.encoding import encode_png

from .geometry import (
    IntArray,
    add_mesh,
    add_skeleton,
    add_skin,
    add_uvs,
    bind_materials,
    make_transforms,
    to_float32,
    to_int32,
)
from .materials import PNG_LEVEL, RGB, Inputs, Texture, add_materials
from .stage import AssetStage, new_stage, unique_identifiers

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdSkel


def make_mesh_stage(asset: Mesh) -> AssetStage:
    """Build the stage of a mesh. USD's axes and units are those of the assets.

    Raises:
        InputError: The mesh has no faces.
    """
    topology = asset.topology
    kept = distinct_corners(topology)
    if not kept.any():
        raise InputError("a mesh without faces can't be written as USD; give it at least one.")
    skinned = bool(topology.joint_names or topology.morph_names)
    stage = new_stage(asset, "SkelRoot" if skinned else "Xform")
    counts = kept.sum(1)
    mesh = add_mesh(stage, "mesh", asset.positions, asset.normals, counts[counts > 0], topology.faces[kept])
    add_uvs(mesh, topology.uvs, topology.face_uvs[kept])
    used, face_materials = np.unique(topology.face_materials[counts > 0], return_inverse=True)
    materials = [asset.materials[k] for k in used.tolist()]
    labels = unique_identifiers([material.name for material in materials])
    surfaces = {
        label: add_material_textures(stage, asset, label, material)
        for label, material in zip(labels, materials, strict=True)
    }
    bind_materials(mesh, add_materials(stage, surfaces), face_materials)
    if skinned:
        skeleton = add_rig(stage, asset, mesh)
        add_blend_shapes(stage, topology, mesh, skeleton)
    return stage


def distinct_corners(topology: Topology) -> IntArray:
    """Mark the corners of the quads that differ from the corner before them; none of faces with fewer than three.

    Returns:
        (f, 4) bool.
    """
    kept = topology.faces != np.roll(topology.faces, 1, 1)
    return kept & (kept.sum(1, keepdims=True) > 2)


def add_material_textures(stage: AssetStage, asset: Mesh, label: str, material: Material) -> Inputs:
    """Add a material's images to a stage and return the inputs of its shader.

    Args:
        stage: Stage that gets the images.
        asset: Mesh that the material belongs to.
        label: The material's part of the file names.
        material: The material.
    """

    def texture(part: str, pixels: NDArray[np.uint8], scale: RGB, srgb: bool = False) -> Texture:
        file = f"{asset.name}_{label}_{part}.png"
        text = asset.provenance.keywords(file)
        stage.images[file] = encode_png(pixels, srgb=srgb, text=text, compress_level=PNG_LEVEL)
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


def add_rig(stage: AssetStage, asset: Mesh, mesh: UsdGeom.Mesh) -> UsdSkel.Skeleton:
    """Add the skeleton, whose joints are all parallel to the world at rest, and bind the mesh to it."""
    topology, places = asset.topology, asset.joints.astype(np.float64)
    above = np.array([places[parent] if parent >= 0 else np.zeros(3) for parent in topology.joint_parents])
    upright = np.tile(np.eye(3), (len(places), 1, 1))
    local = make_transforms(upright, places - above.reshape(-1, 3))
    world = make_transforms(upright, places)
    skeleton = add_skeleton(stage, topology.joint_names, topology.joint_parents, local, world)
    if topology.skin_joints is not None and topology.skin_weights is not None:
        add_skin(mesh, skeleton, topology.skin_joints, topology.skin_weights)
    return skeleton


def add_blend_shapes(stage: AssetStage, topology: Topology, mesh: UsdGeom.Mesh, skeleton: UsdSkel.Skeleton) -> None:
    """Add the morph targets with the points that they move, and an animation in which all their weights are 0.

    The animation is where programs look for the weights and where they key them.
    """
    from pxr import UsdSkel, Vt

    if not topology.morph_names or topology.morph_offsets is None:
        return
    names = unique_identifiers(topology.morph_names)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    for name, offsets in zip(names, topology.morph_offsets, strict=True):
        moved = np.flatnonzero(offsets.any(-1))
        shape = UsdSkel.BlendShape.Define(stage.usd, mesh.GetPath().AppendChild(name))
        shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(to_float32(offsets[moved])))
        shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(to_int32(moved)))
    binding.CreateBlendShapesAttr(names)
    binding.CreateBlendShapeTargetsRel().SetTargets([mesh.GetPath().AppendChild(name) for name in names])
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    weights = UsdSkel.Animation.Define(stage.usd, f"{stage.root}/expression")
    weights.CreateBlendShapesAttr(names)
    weights.CreateBlendShapeWeightsAttr([0.0] * len(names))
    UsdSkel.BindingAPI(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([weights.GetPath()])
