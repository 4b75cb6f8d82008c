"""The MaterialX exporter: a material as an OpenPBR surface with its images."""

from __future__ import annotations

from ganassets.api.assets import Exporter

EXPORTER = Exporter(
    name="materialx",
    summary="MaterialX: an OpenPBR surface with displacement, and its images",
    api_version=1,
    kinds=("textures",),
    suffixes=(".mtlx", ".png"),
    export="ganassets_materialx.export:export_material",
)
