"""Write triangles as PLY and STL, with trimesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trimesh import Trimesh
from trimesh.exchange import ply, stl

from ganassets.api.assets import Material, Mesh
from ganassets.api.shading import linear_to_srgb, srgb_to_linear

from .provenance import provenance_lines

STL_HEADER = 80  # bytes of free text, which must not start with "solid"
UNUSED_COLOUR = 128  # grey of vertices that no face uses


def export_ply(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a mesh as one binary PLY file with normals and vertex colours."""
    del options
    return {f"{asset.name}.ply": encode_ply(asset)}


def export_stl(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a mesh as one binary STL file, and beside it the provenance, which is too long for STL's header."""
    del options
    name = f"{asset.name}.stl"
    return {name: encode_stl(asset), **asset.provenance.sidecar(name)}


def encode_ply(mesh: Mesh) -> bytes:
    """Encode a mesh as binary PLY with normals and, at each vertex, the sRGB colour of its material there."""
    trimesh = Trimesh(
        mesh.positions,
        make_triangles(mesh),
        vertex_normals=mesh.normals,
        vertex_colors=vertex_colours(mesh),
        process=False,
    )
    comments = "".join(f"comment {line}\n" for line in provenance_lines(mesh)).encode()
    return ply.export_ply(trimesh, vertex_normal=True).replace(b"end_header", comments + b"end_header", 1)


def encode_stl(mesh: Mesh) -> bytes:
    """Encode a mesh as binary STL, with as much of the provenance in its header as fits."""
    text = f"STL, {', '.join(provenance_lines(mesh))}".encode()[:STL_HEADER].ljust(STL_HEADER)
    return text + stl.export_stl(Trimesh(mesh.positions, make_triangles(mesh), process=False))[STL_HEADER:]


def make_triangles(mesh: Mesh) -> NDArray[np.int32]:
    """Split the faces into (t, 3) vertex indices, two triangles to a quad, without those that repeat a vertex."""
    corners = mesh.topology.faces[:, (0, 1, 2, 0, 2, 3)].reshape(-1, 3)
    a, b, c = corners.T
    return corners[(a != b) & (b != c) & (c != a)]


def vertex_colours(mesh: Mesh) -> NDArray[np.uint8]:
    """Sample each vertex's colour, (v, 3) uint8 sRGB.

    Where several texture coordinates or materials meet, one of them is taken. Unused vertices are grey.
    """
    topology = mesh.topology
    colours = np.full((topology.vertex_count, 3), UNUSED_COLOUR, np.uint8)
    for k, material in enumerate(mesh.materials):
        chosen = topology.face_materials == k
        vertices, first = np.unique(topology.faces[chosen], return_index=True)
        colours[vertices] = sample_colours(material, topology.uvs[topology.face_uvs[chosen].ravel()[first]])
    return colours


def sample_colours(material: Material, uvs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Sample a material's colour: the nearest texel times the linear factor.

    Args:
        material: The material.
        uvs: (n, 2) texture coordinates.

    Returns:
        (n, 3) uint8 sRGB.
    """
    texels = np.ones((len(uvs), 3))
    if material.albedo is not None:
        size = np.array(material.albedo.shape[1::-1])
        x, y = (np.floor(uvs % 1 * size).astype(int) % size).T
        texels = srgb_to_linear(material.albedo[y, x] / 255)
    return np.round(linear_to_srgb(texels * material.base_colour) * 255).astype(np.uint8)
