"""Wavefront OBJ. Written here because trimesh's has triangles only and cuts the mesh into an object a material."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganassets.api.assets import Material, Mesh

from .provenance import description


def encode_obj(mesh: Mesh) -> dict[str, bytes]:
    """The OBJ, its MTL and the PNGs that it names. OBJ's texture origin is at the lower left."""
    topology, name = mesh.topology, mesh.name
    uvs = np.stack([topology.uvs[:, 0], 1 - topology.uvs[:, 1]], -1)
    materials, files = encode_materials(mesh)
    text = [
        header(mesh),
        f"mtllib {name}.mtl\no {name}\n",
        rows("v %.6f %.6f %.6f\n", mesh.positions),
        rows("vt %.6f %.6f\n", uvs),
        rows("vn %.4f %.4f %.4f\n", mesh.normals),
    ]
    corners = np.stack([topology.faces, topology.face_uvs, topology.faces], -1) + 1
    for k in np.unique(topology.face_materials).tolist():
        label = plain(mesh.materials[k].name)
        text += [f"g {label}\nusemtl {label}\n", face_rows(corners[topology.face_materials == k])]
    return {f"{name}.obj": "".join(text).encode(), f"{name}.mtl": (header(mesh) + materials).encode(), **files}


def header(mesh: Mesh) -> str:
    """Comment lines: what the file is and where it comes from."""
    return "".join(f"# {line}\n" for line in description(mesh))


def rows(template: str, values: np.ndarray) -> str:
    """The template filled with every row of (n, c) values."""
    return (template * len(values)) % tuple(values.ravel().tolist())


def face_rows(corners: np.ndarray) -> str:
    """`f` lines of (f, 4, 3) indices of vertex, texture coordinate and normal; a quad may be a triangle."""
    faces = (dict.fromkeys(f"{v}/{t}/{n}" for v, t, n in face) for face in corners.tolist())
    return "".join(f"f {' '.join(face)}\n" for face in faces)


def plain(name: str) -> str:
    """A name that OBJ's space-separated lines can hold."""
    return re.sub(r"\s+", "_", name)


def encode_materials(mesh: Mesh) -> tuple[str, dict[str, bytes]]:
    """Text of the MTL and its pictures."""
    text, files = [], {}
    for k in np.unique(mesh.topology.face_materials).tolist():
        material = mesh.materials[k]
        maps = [("map_Kd", material.albedo, "albedo"), ("map_Pr", material.roughness_map, "roughness")]
        text.append(material_lines(material))
        for keyword, array, part in maps:
            if array is not None:
                file = f"{mesh.name}-{plain(material.name)}-{part}.png"
                files[file] = png(array, mesh.provenance.keywords(file))
                text.append(f"{keyword} {file}\n")
    return "".join(text), files


def material_lines(material: Material) -> str:
    """MTL of a material's factors: Phong's, and the widely read roughness and metallic (Pr, Pm)."""
    red, green, blue = material.base_colour
    return (
        f"\nnewmtl {plain(material.name)}\nKd {red:.6g} {green:.6g} {blue:.6g}\nKs 0.5 0.5 0.5\n"
        f"Ns {1000 * (1 - material.roughness) ** 2:.6g}\nPr {material.roughness:.6g}\nPm {material.metallic:.6g}\n"
        "d 1\nillum 2\n"
    )


def png(array: np.ndarray, notes: Mapping[str, str]) -> bytes:
    """PNG of an (h, w, 3) or (h, w) uint8 picture, with texts by keyword."""
    info, file = PngInfo(), io.BytesIO()
    for keyword, text in notes.items():
        info.add_text(keyword, text)
    Image.fromarray(array).save(file, "PNG", pnginfo=info)
    return file.getvalue()
