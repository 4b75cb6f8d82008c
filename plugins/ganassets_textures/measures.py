"""Measures of materials without a reference: whether they tile, and whether their maps agree. numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import TextureSet
from ganassets.training.evaluation.tiling import normal_agreement, seam_ratio


def batch_maps(asset: TextureSet) -> dict[str, NDArray[np.float32]]:
    """Return all maps of a material by name, (1, channels, h, w) each."""
    planes = ("height", "roughness", "metallic", "occlusion")
    pictures = {name: getattr(asset, name).transpose(2, 0, 1)[None] for name in ("albedo", "normal")}
    return pictures | {name: getattr(asset, name)[None, None] for name in planes}


def material_measures(assets: Sequence[TextureSet]) -> dict[str, float]:
    """Measure materials that should tile.

    Returns:
        "seam NAME" is the mean seam_ratio of a map: 1 where its border is like any other line; constant maps are left
        out. "normal error" is the largest difference of a normal map from the normals of its height.
    """
    ratios: dict[str, list[float]] = {}
    for asset in assets:
        for name, values in batch_maps(asset).items():
            ratios.setdefault(name, []).append(float(seam_ratio(values)[0]))
    seams = {f"seam {name}": float(np.nanmean(found)) for name, found in ratios.items() if not np.isnan(found).all()}
    return seams | {
        "normal error": max(normal_agreement(asset.height, asset.normal, asset.texel_size) for asset in assets)
    }
