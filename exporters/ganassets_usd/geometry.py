"""Add meshes, skeletons and skins to a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .materials import UVS
from .stage import AssetStage, unique_identifiers

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdShade, UsdSkel

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


def to_float32(array: NDArray[Any]) -> NDArray[np.float32]:
    """Convert to contiguous float32."""
    return np.ascontiguousarray(array, np.float32)


def to_int32(array: NDArray[Any]) -> NDArray[np.int32]:
    """Convert to contiguous int32."""
    return np.ascontiguousarray(array, np.int32)


def add_mesh(
    stage: AssetStage, name: str, points: FloatArray, normals: FloatArray, counts: IntArray, corners: IntArray
) -> UsdGeom.Mesh:
    """Add a mesh without subdivision.

    Args:
        stage: Stage that gets the mesh.
        name: A valid identifier.
        points: (v, 3) metres.
        normals: (v, 3) unit vectors.
        counts: (f,) number of corners of each face.
        corners: (counts.sum(),) vertex indices, face after face, counter-clockwise seen from outside.
    """
    from pxr import UsdGeom, Vt

    mesh = UsdGeom.Mesh.Define(stage.usd, f"{stage.root}/{name}")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(to_float32(points)))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(to_float32(normals)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(to_int32(counts)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(to_int32(corners)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    return mesh


def add_uvs(mesh: UsdGeom.Mesh, uvs: FloatArray, corners: IntArray) -> None:
    """Give a mesh texture coordinates; USD's origin is at the lower left.

    Args:
        mesh: Mesh that gets the coordinates.
        uvs: (t, 2), origin upper left.
        corners: (l,) index of uvs of each face's corners, face after face.
    """
    from pxr import Sdf, UsdGeom, Vt

    kind = Sdf.ValueTypeNames.TexCoord2fArray
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(UVS, kind, UsdGeom.Tokens.faceVarying)
    primvar.Set(Vt.Vec2fArray.FromNumpy(to_float32(np.stack([uvs[:, 0], 1 - uvs[:, 1]], -1))))
    primvar.SetIndices(Vt.IntArray.FromNumpy(to_int32(corners)))


def bind_materials(mesh: UsdGeom.Mesh, materials: Sequence[UsdShade.Material], face_materials: IntArray) -> None:
    """Give a mesh its material, or a subset of its faces each of its materials.

    Args:
        mesh: Mesh that gets the materials.
        materials: Materials that face_materials points at; each has at least one face.
        face_materials: (f,) index of each face's material.
    """
    from pxr import UsdGeom, UsdShade, Vt

    if len(materials) == 1:
        UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(materials[0])
        return
    binding = UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim())
    for k, material in enumerate(materials):
        faces = Vt.IntArray.FromNumpy(to_int32(np.flatnonzero(face_materials == k)))
        subset = binding.CreateMaterialBindSubset(material.GetPrim().GetName(), faces)
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    binding.SetMaterialBindSubsetsFamilyType(UsdGeom.Tokens.partition)


def add_skeleton(
    stage: AssetStage, names: Sequence[str], parents: Sequence[int], local: FloatArray, world: FloatArray
) -> UsdSkel.Skeleton:
    """Add a skeleton.

    Args:
        stage: Stage that gets the skeleton.
        names: Names of the joints, stored beside the paths that USD requires.
        parents: Index of each joint's parent; -1 for a root.
        local: (j, 4, 4) float64 transforms at rest in the parent's frame, translation in the last row.
        world: (j, 4, 4) float64 transforms at rest in the world.
    """
    from pxr import UsdSkel, Vt

    skeleton = UsdSkel.Skeleton.Define(stage.usd, f"{stage.root}/rig")
    skeleton.CreateJointsAttr(joint_paths(names, parents))
    skeleton.CreateJointNamesAttr(list(names))
    skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(local)))
    skeleton.CreateBindTransformsAttr(Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(world)))
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    return skeleton


def joint_paths(names: Sequence[str], parents: Sequence[int]) -> list[str]:
    """Build the path of each joint, such as "hips/spine/chest"; a parent stands before its children."""
    paths: list[str] = []
    for name, parent in zip(unique_identifiers(names), parents, strict=True):
        paths.append(f"{paths[parent]}/{name}" if parent >= 0 else name)
    return paths


def add_skin(mesh: UsdGeom.Mesh, skeleton: UsdSkel.Skeleton, joints: IntArray, weights: FloatArray) -> None:
    """Bind a mesh to a skeleton.

    Args:
        mesh: The mesh at rest.
        skeleton: The skeleton.
        joints: (v, 4) joints that move each vertex.
        weights: (v, 4) weights of these joints; rows sum to 1.
    """
    from pxr import Gf, UsdSkel, Vt

    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    width = joints.shape[1]
    binding.CreateJointIndicesPrimvar(False, width).Set(Vt.IntArray.FromNumpy(to_int32(joints).ravel()))
    binding.CreateJointWeightsPrimvar(False, width).Set(Vt.FloatArray.FromNumpy(to_float32(weights).ravel()))


def make_transforms(rotations: FloatArray, positions: FloatArray) -> NDArray[np.float64]:
    """Combine (j, 3, 3) rotation matrices and (j, 3) positions into (j, 4, 4) matrices for row vectors, as in USD."""
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, :3, :3] = rotations.swapaxes(1, 2)
    matrices[:, 3, :3] = positions
    return matrices
