"""The USD exporters: a mesh, a material on a plane or a clip on a mannequin, as a layer with pictures or a package."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

RIG = Option(
    "rig",
    str,
    "vrm",
    "names and rest pose of the bones",
    choices=("vrm", "mixamo", "unreal", "unity", "godot", "rigify"),
    kinds=("motion",),
)
ROOT = Option("root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=("motion",))
FORMAT = Option("format", str, "usdc", "usdc is binary, usda is text", choices=("usdc", "usda"))
KINDS = ("mesh", "textures", "motion")


EXPORTER = Exporter(
    name="usd",
    summary="OpenUSD with textures beside it: rigged meshes, materials on a plane, animated mannequins",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdc", ".usda", ".png"),
    export="ganassets_usd.export:export_layer",
    options=(FORMAT, RIG, ROOT),
)
USDZ = Exporter(
    name="usdz",
    summary="OpenUSD package: the same in one file, also for AR on Apple's devices",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdz",),
    export="ganassets_usd.export:export_package",
    options=(RIG, ROOT),
)
