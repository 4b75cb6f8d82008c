"""Exports as GLB, VRM and VRMA; see the options of each exporter in the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Mesh, MotionClip, TextureSet

from .document import encode_mesh
from .motion import encode_motion, encode_vrma
from .surface import encode_surface
from .vrm import encode_vrm

# Prefixes of file names by engine and content. Those of Unreal are Epic's.
PREFIXES = {"any": {}, "unreal": {"rigged": "SK_", "mesh": "SM_", "textures": "SM_", "motion": "A_"}}


def export_glb(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return one GLB named after the asset; options for other kinds of asset change nothing."""
    if isinstance(asset, Mesh):
        content = encode_mesh(asset, options)
    elif isinstance(asset, TextureSet):
        content = encode_surface(asset, options)
    else:
        content = encode_motion(asset, options)
    return {f"{file_prefix(asset, options)}{asset.name}.glb": content}


def file_prefix(asset: Mesh | TextureSet | MotionClip, options: Mapping[str, Any]) -> str:
    """Return the prefix that the engine wants in front of the file's name."""
    rigged = isinstance(asset, Mesh) and options["skin"] and asset.topology.joint_names
    return PREFIXES[options["engine"]].get("rigged" if rigged else asset.kind, "")


def export_vrm(asset: Mesh, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return one VRM avatar named after the mesh."""
    return {f"{asset.name}.vrm": encode_vrm(asset, options)}


def export_vrma(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return one VRM animation named after the clip."""
    return {f"{asset.name}.vrma": encode_vrma(asset, options)}
