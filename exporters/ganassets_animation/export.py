"""Exports of a motion clip as an animated picture; see OPTIONS in the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import MotionClip

from .pictures import gif, webp


def export_webp(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return an animated WebP of the clip, NAME.webp."""
    return {f"{asset.name}.webp": webp(asset, options)}


def export_gif(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return an animated GIF of the clip, NAME.gif."""
    return {f"{asset.name}.gif": gif(asset, options)}
