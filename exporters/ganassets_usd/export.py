"""Write assets as USD layers and USDZ packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip, TextureSet

from .files import encode_layer, encode_package
from .mesh import make_mesh_stage
from .motion import make_motion_stage
from .stage import AssetStage, check_installed
from .textures import make_textures_stage


def export_layer(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write an asset as one layer, and beside it the PNG files that the layer names.

    Args:
        asset: A mesh, a material or a clip.
        options: Values of `ganassets_usd.EXPORTER.options`; those for other kinds of assets change nothing.

    Raises:
        InputError: Usd-core is not installed, or a mesh has no faces.
    """
    stage = make_stage(asset, options)
    return {f"{asset.name}.{options['format']}": encode_layer(stage, options["format"]), **stage.images}


def export_package(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write an asset as one USDZ package that holds the layer and its images.

    Args:
        asset: A mesh, a material or a clip.
        options: Values of `ganassets_usd.USDZ.options`; those for other kinds of assets change nothing.

    Raises:
        InputError: Usd-core is not installed, or a mesh has no faces.
    """
    return {f"{asset.name}.usdz": encode_package(asset.name, make_stage(asset, options))}


def make_stage(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> AssetStage:
    """Build the stage of an asset."""
    check_installed()
    if isinstance(asset, Mesh):
        return make_mesh_stage(asset)
    if isinstance(asset, TextureSet):
        return make_textures_stage(asset)
    return make_motion_stage(asset, options)
