"""Meshes and skins. Arrays go over as whole blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .materials import UVS
from .scene import Scene, identifiers

if TYPE_CHECKING:
    from pxr import UsdGeom, UsdShade, UsdSkel

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


def floats(array: NDArray[Any]) -> NDArray[np.float32]:
    """The same as contiguous float32."""
    return np.ascontiguousarray(array, np.float32)


def ints(array: NDArray[Any]) -> NDArray[np.int32]:
    """The same as contiguous int32."""
    return np.ascontiguousarray(array, np.int32)


def add_mesh(
    scene: Scene, name: str, points: FloatArray, normals: FloatArray, counts: IntArray, corners: IntArray
) -> UsdGeom.Mesh:
    """Append a mesh that is shown as it is, without subdivision.

    Args:
        scene: that gets it.
        name: a valid identifier.
        points: (v, 3) metres.
        normals: (v, 3) unit vectors.
        counts: (f,) corners of each face.
        corners: (counts.sum(),) vertex indices, face after face, counter-clockwise seen from outside.
    """
    from pxr import UsdGeom, Vt

    mesh = UsdGeom.Mesh.Define(scene.stage, f"{scene.root}/{name}")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(floats(points)))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(floats(normals)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(ints(counts)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(ints(corners)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    return mesh


def add_uvs(mesh: UsdGeom.Mesh, uvs: FloatArray, corners: IntArray) -> None:
    """Give a mesh texture coordinates; USD's origin is at the lower left.

    Args:
        mesh: that gets them.
        uvs: (t, 2), origin upper left.
        corners: indices of uvs, one for each corner of a face.
    """
    from pxr import Sdf, UsdGeom, Vt

    kind = Sdf.ValueTypeNames.TexCoord2fArray
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(UVS, kind, UsdGeom.Tokens.faceVarying)
    primvar.Set(Vt.Vec2fArray.FromNumpy(floats(np.stack([uvs[:, 0], 1 - uvs[:, 1]], -1))))
    primvar.SetIndices(Vt.IntArray.FromNumpy(ints(corners)))


def bind(mesh: UsdGeom.Mesh, materials: Sequence[UsdShade.Material], face_materials: IntArray) -> None:
    """Give the faces their materials: the mesh the only one, or each material a subset.

    Args:
        mesh: that gets them.
        materials: that face_materials points at, all of them used.
        face_materials: (f,).
    """
    from pxr import UsdGeom, UsdShade, Vt

    if len(materials) == 1:
        UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(materials[0])
        return
    binding = UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim())
    for k, material in enumerate(materials):
        faces = Vt.IntArray.FromNumpy(ints(np.flatnonzero(face_materials == k)))
        subset = binding.CreateMaterialBindSubset(material.GetPrim().GetName(), faces)
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    binding.SetMaterialBindSubsetsFamilyType(UsdGeom.Tokens.partition)


def add_skeleton(
    scene: Scene, names: Sequence[str], parents: Sequence[int], local: FloatArray, world: FloatArray
) -> UsdSkel.Skeleton:
    """Append a skeleton.

    Args:
        scene: that gets it.
        names: of the joints, kept beside the paths that USD wants.
        parents: index of each joint's parent; -1 for a root.
        local, world: (j, 4, 4) float64 at rest in the parent's frame and in the world's, translation in the last row.
    """
    from pxr import UsdSkel, Vt

    skeleton = UsdSkel.Skeleton.Define(scene.stage, f"{scene.root}/rig")
    skeleton.CreateJointsAttr(joint_paths(names, parents))
    skeleton.CreateJointNamesAttr(list(names))
    skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(local)))
    skeleton.CreateBindTransformsAttr(Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(world)))
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    return skeleton


def joint_paths(names: Sequence[str], parents: Sequence[int]) -> list[str]:
    """Of each joint "hips/spine/chest", a parent before its children."""
    paths: list[str] = []
    for name, parent in zip(identifiers(names), parents, strict=True):
        paths.append(f"{paths[parent]}/{name}" if parent >= 0 else name)
    return paths


def add_skin(mesh: UsdGeom.Mesh, skeleton: UsdSkel.Skeleton, joints: IntArray, weights: FloatArray) -> None:
    """Let a skeleton move a mesh.

    Args:
        mesh: in the place where the skeleton is at rest.
        skeleton: that moves it.
        joints: (v, 4) that move a vertex.
        weights: (v, 4), rows sum to 1.
    """
    from pxr import Gf, UsdSkel, Vt

    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    width = joints.shape[1]
    binding.CreateJointIndicesPrimvar(False, width).Set(Vt.IntArray.FromNumpy(ints(joints).ravel()))
    binding.CreateJointWeightsPrimvar(False, width).Set(Vt.FloatArray.FromNumpy(floats(weights).ravel()))


def transforms(rotations: FloatArray, places: FloatArray) -> NDArray[np.float64]:
    """(j, 4, 4) of rotation matrices (j, 3, 3) and places (j, 3), for row vectors as USD has them."""
    made = np.tile(np.eye(4), (len(places), 1, 1))
    made[:, :3, :3] = rotations.swapaxes(1, 2)
    made[:, 3, :3] = places
    return made
