"""Exports of a mesh as OBJ, PLY and STL."""

from __future__ import annotations

from ganassets.api.assets import Mesh

from .obj import encode_obj
from .solid import encode_ply, encode_stl


def export_obj(asset: Mesh, _options: object) -> dict[str, bytes]:
    """Return NAME.obj, NAME.mtl and a PNG for each texture."""
    return encode_obj(asset)


def export_ply(asset: Mesh, _options: object) -> dict[str, bytes]:
    """Return NAME.ply."""
    return {f"{asset.name}.ply": encode_ply(asset)}


def export_stl(asset: Mesh, _options: object) -> dict[str, bytes]:
    """Return NAME.stl, and a JSON file with the provenance, which its short header can't store."""
    name = f"{asset.name}.stl"
    return {name: encode_stl(asset), **asset.provenance.sidecar(name)}
