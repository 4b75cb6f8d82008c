"""The animation exporters: a motion clip as an animated image."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

OPTIONS = (
    Option("size", int, 320, "width and height in pixels", low=32, high=1024),
    Option("fps", float, 15.0, "frames per second", low=1, high=30),
    Option(
        "view",
        str,
        "three-quarter",
        "side of the figure that the camera sees at the start",
        choices=("three-quarter", "front", "side"),
    ),
)

WEBP = Exporter(
    name="webp",
    summary="animated image of a motion clip, in full colour",
    api_version=1,
    kinds=("motion",),
    suffixes=(".webp",),
    export="ganassets_animation.export:export_webp",
    options=OPTIONS,
)
GIF = Exporter(
    name="gif",
    summary="animated image of a motion clip that every viewer plays",
    api_version=1,
    kinds=("motion",),
    suffixes=(".gif",),
    export="ganassets_animation.export:export_gif",
    options=OPTIONS,
)
