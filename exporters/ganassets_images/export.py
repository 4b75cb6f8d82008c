"""Exports of a material as pictures, one function per engine; see OPTIONS in the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import TextureSet

from .pictures import encode_pictures


def export_gltf(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return pictures named and packed as glTF expects."""
    return encode_pictures(asset, {**options, "profile": "gltf"})


def export_blender(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return one picture for each input of Blender's shader."""
    return encode_pictures(asset, {**options, "profile": "blender"})


def export_godot(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return pictures for Godot and the material that uses them."""
    return encode_pictures(asset, {**options, "profile": "godot"})


def export_unity(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return pictures for Unity."""
    return encode_pictures(asset, {**options, "profile": "unity"})


def export_unreal(asset: TextureSet, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return pictures for Unreal."""
    return encode_pictures(asset, {**options, "profile": "unreal"})
