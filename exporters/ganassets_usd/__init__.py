"""The USD exporters: a mesh, a material on a plane or a clip on a mannequin, as a layer with images or a package."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option
from ganassets.api.rig_options import RIG_OPTION, ROOT_OPTION

KINDS = ("mesh", "textures", "motion")


EXPORTER = Exporter(
    name="usd",
    summary="OpenUSD with textures beside it: rigged meshes, materials on a plane, animated mannequins",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdc", ".usda", ".png"),
    export="ganassets_usd.export:export_layer",
    options=(
        Option("format", str, "usdc", "usdc: binary; usda: text", choices=("usdc", "usda")),
        RIG_OPTION,
        ROOT_OPTION,
    ),
)
USDZ = Exporter(
    name="usdz",
    summary="OpenUSD package: all in one file, also for AR on Apple's devices",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdz",),
    export="ganassets_usd.export:export_package",
    options=(RIG_OPTION, ROOT_OPTION),
)
