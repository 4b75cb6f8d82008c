"""The animation exporters: a motion clip as a moving picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganassets.api.assets import Exporter, MotionClip, Option


def export_webp(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """An animated WebP of the clip; see OPTIONS."""
    from .pictures import webp

    return {f"{asset.name}.webp": webp(asset, options)}


def export_gif(asset: MotionClip, options: Mapping[str, Any]) -> dict[str, bytes]:
    """An animated GIF of the clip; see OPTIONS."""
    from .pictures import gif

    return {f"{asset.name}.gif": gif(asset, options)}


OPTIONS = (
    Option("size", int, 320, "pixels of the square picture", low=32, high=1024),
    Option("fps", float, 15.0, "pictures a second", low=1, high=30),
    Option(
        "view",
        str,
        "three-quarter",
        "side of the figure that the camera sees at first",
        choices=("three-quarter", "front", "side"),
    ),
)

WEBP = Exporter(
    name="webp",
    summary="animated picture of a motion clip, in full colour",
    api_version=1,
    kinds=("motion",),
    suffixes=(".webp",),
    export=export_webp,
    options=OPTIONS,
)
GIF = Exporter(
    name="gif",
    summary="animated picture of a motion clip that every viewer plays",
    api_version=1,
    kinds=("motion",),
    suffixes=(".gif",),
    export=export_gif,
    options=OPTIONS,
)
