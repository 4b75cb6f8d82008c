"""The BVH exporter: a motion clip as text that every animation program reads."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option
from ganassets.api.rig_options import RIG_OPTION, ROOT_OPTION

EXPORTER = Exporter(
    name="bvh",
    summary="Biovision hierarchy (BVH): skeleton and motion as text",
    api_version=1,
    kinds=("motion",),
    suffixes=(".bvh",),
    export="ganassets_bvh.export:export_clip",
    options=(
        RIG_OPTION,
        ROOT_OPTION,
        Option("unit", str, "m", "unit of lengths; Blender reads metres, most others centimetres", choices=("m", "cm")),
    ),
)
