"""Write assets with an exporter, and convert Blender's axes to those of assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ganassets.api.assets import Asset, Exporter


def write_asset(folder: Path, asset: Asset, exporter: Exporter, label: str = "", **options: object) -> Path:
    """Write an asset's files with the exporter's default options; returns the path of the first file.

    Args:
        folder: an existing folder.
        asset: the asset.
        exporter: the exporter.
        label: prefix of the file names.
        **options: options that differ from the defaults.
    """
    defaults = {option.name: option.default for option in exporter.options}
    files = exporter.export(asset, defaults | options)
    for name, content in files.items():
        (folder / f"{label}{name}").write_bytes(content)
    return folder / f"{label}{next(iter(files))}"


def from_blender_axes(pose: Mapping[str, Sequence[float]], names: Sequence[str]) -> np.ndarray:
    """Convert bone positions in Blender (Z up, front -Y) by name to (j, 3) with Y up and front +Z."""
    x, y, z = np.array([pose[name] for name in names]).T
    return np.stack([x, z, -y], -1)
