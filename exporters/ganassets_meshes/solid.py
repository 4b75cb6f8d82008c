"""PLY and STL, by trimesh."""

from __future__ import annotations

import numpy as np
from trimesh import Trimesh
from trimesh.exchange.ply import export_ply
from trimesh.exchange.stl import export_stl

from ganassets.api.assets import Material, Mesh
from ganassets.api.shading import to_linear, to_srgb

from .provenance import description

STL_HEADER = 80  # bytes; free text that must not begin with "solid"


def encode_ply(mesh: Mesh) -> bytes:
    """Binary PLY with normals and, at each vertex, the sRGB colour that its material has there."""
    solid = Trimesh(
        mesh.positions,
        triangles(mesh),
        vertex_normals=mesh.normals,
        vertex_colors=vertex_colours(mesh),
        process=False,
    )
    comments = "".join(f"comment {line}\n" for line in description(mesh)).encode()
    return export_ply(solid, vertex_normal=True).replace(b"end_header", comments + b"end_header", 1)


def encode_stl(mesh: Mesh) -> bytes:
    """Binary STL; as much of the provenance as fits stands in its header."""
    text = f"STL, {', '.join(description(mesh))}".encode()[:STL_HEADER].ljust(STL_HEADER)
    return text + export_stl(Trimesh(mesh.positions, triangles(mesh), process=False))[STL_HEADER:]


def triangles(mesh: Mesh) -> np.ndarray:
    """(t, 3) vertex indices, two to a quad, without those that repeat a vertex."""
    corners = mesh.topology.faces[:, (0, 1, 2, 0, 2, 3)].reshape(-1, 3)
    a, b, c = corners.T
    return corners[(a != b) & (b != c) & (c != a)]


def vertex_colours(mesh: Mesh) -> np.ndarray:
    """(v, 3) uint8 sRGB; where texture coordinates or materials meet, one of them is taken. Unused ones are grey."""
    topology = mesh.topology
    colours = np.full((topology.vertex_count, 3), 128, np.uint8)
    for k, material in enumerate(mesh.materials):
        chosen = topology.face_materials == k
        vertices, first = np.unique(topology.faces[chosen], return_index=True)
        colours[vertices] = colours_at(material, topology.uvs[topology.face_uvs[chosen].ravel()[first]])
    return colours


def colours_at(material: Material, uvs: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 sRGB colours of a material at (n, 2) texture coordinates: the nearest texel times the factor."""
    texels = np.ones((len(uvs), 3))
    if material.albedo is not None:
        size = np.array(material.albedo.shape[1::-1])
        x, y = (np.floor(uvs % 1 * size).astype(int) % size).T
        texels = to_linear(material.albedo[y, x] / 255)
    return np.round(to_srgb(texels * material.base_colour) * 255).astype(np.uint8)
