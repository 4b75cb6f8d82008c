"""Write assets as GLB, VRM and VRMA files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip, TextureSet
from ganassets.api.engines import ENGINES

from .document import encode_mesh
from .motion import encode_motion, encode_vrma
from .textured_shape import encode_textured_shape
from .vrm import encode_vrm


def export_asset(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write an asset as one GLB file, named for the engine that the options choose.

    Args:
        asset: A mesh, a material or a clip.
        options: Values of `ganassets_gltf.EXPORTER.options`; those for other kinds of assets change nothing.

    Raises:
        InputError: A mesh has no faces, or a clip's skeleton is not a humanoid.
    """
    if isinstance(asset, Mesh):
        content = encode_mesh(asset, options)
    elif isinstance(asset, TextureSet):
        content = encode_textured_shape(asset, options)
    else:
        content = encode_motion(asset, options)
    return {f"{name_for_engine(asset, options)}.glb": content}


def export_vrm(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a head as one VRM file.

    Raises:
        InputError: The mesh's joints are not those of a head.
    """
    return {f"{asset.name}.vrm": encode_vrm(asset, options)}


def export_vrma(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Write a clip as one VRMA file.

    Raises:
        InputError: The clip's skeleton lacks bones that VRM requires.
    """
    return {f"{asset.name}.vrma": encode_vrma(asset, options)}


def name_for_engine(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> str:
    """Name an asset's file by the conventions of the engine in the options; "any" keeps the asset's name."""
    if options["engine"] == "any":
        return asset.name
    engine = ENGINES[options["engine"]]
    if isinstance(asset, MotionClip):
        return engine.animation.format(asset.name)
    skinned = isinstance(asset, Mesh) and options["skin"] and asset.topology.joint_names
    return (engine.skinned_mesh if skinned else engine.static_mesh).format(asset.name)
