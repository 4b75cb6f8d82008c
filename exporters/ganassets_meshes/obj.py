"""Write meshes as Wavefront OBJ.

trimesh can write OBJ too, but triangles only, and with one object for each material.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ganassets.api.assets import Material, Mesh
from ganassets.api.images.encoding import encode_png

from .provenance import provenance_lines

PNG_LEVEL = 6  # zlib level of images


def export_obj(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a mesh as an OBJ file, its MTL file, and a PNG file for every texture."""
    del options
    topology, name = asset.topology, asset.name
    uvs = np.stack([topology.uvs[:, 0], 1 - topology.uvs[:, 1]], -1)  # OBJ's texture origin is at the lower left
    materials, files = encode_materials(asset)
    text = [
        comment_lines(asset),
        f"mtllib {name}.mtl\no {name}\n",
        format_rows("v %.6f %.6f %.6f\n", asset.positions),
        format_rows("vt %.6f %.6f\n", uvs),
        format_rows("vn %.4f %.4f %.4f\n", asset.normals),
    ]
    corners = np.stack([topology.faces, topology.face_uvs, topology.faces], -1) + 1
    for k in np.unique(topology.face_materials).tolist():
        label = without_spaces(asset.materials[k].name)
        text += [f"g {label}\nusemtl {label}\n", face_lines(corners[topology.face_materials == k])]
    mtl = comment_lines(asset) + materials
    return {f"{name}.obj": "".join(text).encode(), f"{name}.mtl": mtl.encode(), **files}


def comment_lines(mesh: Mesh) -> str:
    """Write the provenance as comments."""
    return "".join(f"# {line}\n" for line in provenance_lines(mesh))


def format_rows(template: str, values: np.ndarray) -> str:
    """Fill the template with every row of (n, c) values."""
    return (template * len(values)) % tuple(values.ravel().tolist())


def face_lines(corners: np.ndarray) -> str:
    """Write the faces.

    Args:
        corners: (f, 4, 3) indices of vertex, texture coordinate and normal; a quad that repeats a corner is a triangle.
    """
    faces = (dict.fromkeys(f"{v}/{t}/{n}" for v, t, n in face) for face in corners.tolist())
    return "".join(f"f {' '.join(face)}\n" for face in faces)


def without_spaces(name: str) -> str:
    """Replace white space, which separates the words of OBJ's lines."""
    return re.sub(r"\s+", "_", name)


def encode_materials(mesh: Mesh) -> tuple[str, dict[str, bytes]]:
    """Write the text of the MTL file; returns it and the images that it names."""
    text, files = [], {}
    for k in np.unique(mesh.topology.face_materials).tolist():
        material = mesh.materials[k]
        maps = [("map_Kd", material.albedo, "albedo"), ("map_Pr", material.roughness_map, "roughness")]
        text.append(material_lines(material))
        for keyword, pixels, part in maps:
            if pixels is not None:
                file = f"{mesh.name}-{without_spaces(material.name)}-{part}.png"
                files[file] = encode_png(pixels, text=mesh.provenance.keywords(file), compress_level=PNG_LEVEL)
                text.append(f"{keyword} {file}\n")
    return "".join(text), files


def material_lines(material: Material) -> str:
    """Write a material's factors: Phong's, and roughness and metallic (Pr, Pm), which many programs read."""
    red, green, blue = material.base_colour
    return (
        f"\nnewmtl {without_spaces(material.name)}\nKd {red:.6g} {green:.6g} {blue:.6g}\nKs 0.5 0.5 0.5\n"
        f"Ns {1000 * (1 - material.roughness) ** 2:.6g}\nPr {material.roughness:.6g}\nPm {material.metallic:.6g}\n"
        "d 1\nillum 2\n"
    )
