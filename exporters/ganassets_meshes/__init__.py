"""Plain mesh formats: OBJ with materials and textures; PLY with colours; STL. All in metres, Y up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, Mesh


def export_obj(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.obj, NAME.mtl and a PNG for every texture."""
    from .obj import encode_obj

    return encode_obj(asset)


def export_ply(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.ply."""
    from .solid import encode_ply

    return {f"{asset.name}.ply": encode_ply(asset)}


def export_stl(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.stl, and beside it what its short header can't hold."""
    from .solid import encode_stl

    name = f"{asset.name}.stl"
    return {name: encode_stl(asset), **asset.provenance.sidecar(name)}


OBJ = Exporter("obj", "Wavefront OBJ: quads, UVs, materials, textures", 1, ("mesh",), (".obj",), export_obj)
PLY = Exporter("ply", "Stanford PLY: triangles with normals and vertex colours", 1, ("mesh",), (".ply",), export_ply)
STL = Exporter("stl", "STL: triangles alone, for 3-D printing", 1, ("mesh",), (".stl",), export_stl)
