"""The animation exporters: a motion clip as a moving picture."""

from __future__ import annotations

from ganassets.api.assets import Exporter, Option

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
    export="ganassets_animation.export:export_webp",
    options=OPTIONS,
)
GIF = Exporter(
    name="gif",
    summary="animated picture of a motion clip that every viewer plays",
    api_version=1,
    kinds=("motion",),
    suffixes=(".gif",),
    export="ganassets_animation.export:export_gif",
    options=OPTIONS,
)
