"""The BVH exporter: a motion clip as text that every animation program reads."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

EXPORTER = Exporter(
    name="bvh",
    summary="Biovision hierarchy (BVH): skeleton and motion as text",
    api_version=1,
    kinds=("motion",),
    suffixes=(".bvh",),
    export="ganassets_bvh.export:export",
    options=(
        Option(
            "rig",
            str,
            "vrm",
            "names and rest pose of the bones",
            choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
        ),
        Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place")),
        Option(
            "unit", str, "m", "BVH says no unit; Blender wants metres, most others centimetres", choices=("m", "cm")
        ),
    ),
)
