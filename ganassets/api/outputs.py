"""Outputs of a model file. Importing this needs the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """One output of a model file; generators declare it with this class, and manifests store it.

    Attributes:
        name: Name of the output in the ONNX graph.
        axes: Meaning of each axis after the batch, ("channel", "height", "width") or ("vertex", "xyz").
        unit: "m", "sRGB", "linear", ...
        low: Lowest possible value, or None without a bound.
        high: Highest possible value, or None without a bound.

    >>> Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0).axes
    ('channel', 'height', 'width')
    """

    name: str
    axes: tuple[str, ...]
    unit: str
    low: float | None = None
    high: float | None = None
