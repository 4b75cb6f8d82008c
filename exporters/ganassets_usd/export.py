"""Exports as OpenUSD layers and packages; see the options of each exporter in the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip, TextureSet

from .files import encode_layer, encode_package
from .mesh import describe_mesh
from .motion import describe_motion
from .scene import Scene, check_installed
from .surface import describe_surface


def export_layer(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return NAME.usdc or NAME.usda and the PNGs that it refers to.

    Raises:
        InputError: usd-core is not installed.
    """
    scene = describe_scene(asset, options)
    return {f"{asset.name}.{options['format']}": encode_layer(scene, options["format"]), **scene.pictures}


def export_package(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return NAME.usdz, which contains everything.

    Raises:
        InputError: usd-core is not installed.
    """
    return {f"{asset.name}.usdz": encode_package(asset.name, describe_scene(asset, options))}


def describe_scene(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> Scene:
    """Return the scene of an asset.

    Raises:
        InputError: usd-core is not installed.
    """
    check_installed()
    if isinstance(asset, Mesh):
        return describe_mesh(asset)
    if isinstance(asset, TextureSet):
        return describe_surface(asset)
    return describe_motion(asset, options)
