"""The USD exporters: a mesh, a material on a plane or a clip on a mannequin, as a layer with pictures or a package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganassets.api.assets import Exporter, Mesh, MotionClip, Option, TextureSet

if TYPE_CHECKING:
    from .scene import Scene

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


def export(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.usdc or NAME.usda and the PNGs that it names; see EXPORTER.options.

    Raises:
        InputError: usd-core is not installed.
    """
    from .files import encode_layer

    scene = describe(asset, options)
    return {f"{asset.name}.{options['format']}": encode_layer(scene, options["format"]), **scene.pictures}


def export_usdz(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """NAME.usdz with everything in it; see USDZ.options.

    Raises:
        InputError: usd-core is not installed.
    """
    from .files import encode_package

    return {f"{asset.name}.usdz": encode_package(asset.name, describe(asset, options))}


def describe(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> Scene:
    """The scene of an asset; InputError when usd-core is not installed."""
    from .scene import check_installed

    check_installed()
    if isinstance(asset, Mesh):
        from .mesh import describe_mesh

        return describe_mesh(asset)
    if isinstance(asset, TextureSet):
        from .surface import describe_surface

        return describe_surface(asset)
    from .motion import describe_motion

    return describe_motion(asset, options)


EXPORTER = Exporter(
    name="usd",
    summary="OpenUSD with textures beside it: rigged meshes, materials on a plane, animated mannequins",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdc", ".usda", ".png"),
    export=export,
    options=(FORMAT, RIG, ROOT),
)
USDZ = Exporter(
    name="usdz",
    summary="OpenUSD package: the same in one file, also for AR on Apple's devices",
    api_version=1,
    kinds=KINDS,
    suffixes=(".usdz",),
    export=export_usdz,
    options=(RIG, ROOT),
)
