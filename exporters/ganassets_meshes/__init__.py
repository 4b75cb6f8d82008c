"""Plain mesh formats: OBJ with materials and textures; PLY with colours; STL. All in metres, Y up."""

from __future__ import annotations

from ganassets.api.assets import Exporter

OBJ = Exporter(
    name="obj",
    summary="Wavefront OBJ: quads, UVs, materials, textures",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".obj",),
    export="ganassets_meshes.obj:export_obj",
)
PLY = Exporter(
    name="ply",
    summary="Stanford PLY: triangles with normals and vertex colours",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".ply",),
    export="ganassets_meshes.triangles:export_ply",
)
STL = Exporter(
    name="stl",
    summary="STL: triangles alone, for 3-D printing",
    api_version=1,
    kinds=("mesh",),
    suffixes=(".stl",),
    export="ganassets_meshes.triangles:export_stl",
)
