"""The BVH exporter: a motion clip as text that every animation program reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, MotionClip, Option


def export(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """One BVH named after the clip; see EXPORTER.options. BVH has no comments, so the provenance lies beside it."""
    from .encode import encode_clip

    name = f"{asset.name}.bvh"
    return {name: encode_clip(asset, options).encode(), **asset.provenance.sidecar(name)}


EXPORTER = Exporter(
    name="bvh",
    summary="Biovision hierarchy (BVH): skeleton and motion as text",
    api_version=1,
    kinds=("motion",),
    suffixes=(".bvh",),
    export=export,
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
