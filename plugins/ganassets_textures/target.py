"""Inversion target of materials: a material set or a picture of a surface.

A texel of a material has no fixed place, so statistics are compared: colours, the variation of each map at each size of
detail along rows and columns, and the structure: sharp edges and repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.data.images import SUFFIXES, opened_image, visible_image
from ganassets.api.data.sources import open_file
from ganassets.api.errors import InputError
from ganassets.api.spec import Target

from .sets import read_sets
from .target_structure import MetStructure, describe_structure

SIZE = 128  # texels along a side at which materials are compared
LEVELS = 5  # number of detail sizes, each twice the one before
QUANTILES = (0.05, 0.25, 0.75, 0.95)
PERCENT = 100.0
# Texels of height that count like the range from black to white.
HEIGHT_RANGE = 8.0
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)

MapArrays = dict[str, NDArray[np.float32]]


def material_target(path: Path) -> Target:
    """Read a picture's colours, or all maps of the first set in a folder or zip, as the target of an inversion.

    Args:
        path: Image file, folder or zip.

    Raises:
        InputError: The file can't be read, or holds no material set.
    """
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        maps = {"albedo": read_albedo(path)}
        conditions = {}
    else:
        found = read_sets(path, 2 * SIZE)[0][0]
        maps = {"albedo": resize_map(found.albedo.astype(np.float32) / np.float32(255))}
        for name in ("roughness", "metallic"):
            values = getattr(found, name)
            if values is not None:
                maps[name] = resize_map(values.astype(np.float32) / np.float32(255))
        if found.height is not None:
            maps["height"] = resize_map(found.height) * SIZE / max(found.height.shape)
        conditions = {"material": {found.material: 1.0}} if found.material else {}
    names = tuple(maps)
    met_structure = MetStructure(structured_planes(maps))

    def describe_assets(assets: Sequence[TextureSet]) -> NDArray[np.float32]:
        return np.stack([describe_surface(select_maps(asset, names)) for asset in assets])

    def measure_shares(asset: TextureSet) -> dict[str, float]:
        share = met_structure(structured_planes(select_maps(asset, names)))
        return {} if share is None else {"structure": share}

    return Target(
        describe_assets,
        describe_surface(maps),
        "% of a map's range",
        conditions,
        size=(SIZE, SIZE),
        exact=False,
        shares=measure_shares,
    )


def read_albedo(path: Path) -> NDArray[np.float32]:
    """Read a picture as (SIZE, SIZE, 3) sRGB in [0, 1]."""
    try:
        with open_file(path) as stream, opened_image(stream, path.suffix.lower()) as image:
            return resize_map(np.asarray(visible_image(image)[0].convert("RGB"), np.float32) / np.float32(255))
    except InputError as error:
        raise InputError(f"{path} can't be used: {str(error).rstrip('.')}.") from error


def resize_map(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resize a map (h, w) or (h, w, c) to SIZE x SIZE texels, each the mean over its area."""
    planes = values[..., None] if values.ndim == 2 else values
    made = [
        np.asarray(Image.fromarray(planes[..., k].astype(np.float32)).resize((SIZE, SIZE), Image.Resampling.BOX))
        for k in range(planes.shape[-1])
    ]
    return np.stack(made, -1).reshape(SIZE, SIZE, *values.shape[2:])


def select_maps(asset: TextureSet, names: Sequence[str]) -> MapArrays:
    """Return maps of a generated material by name; height in texels."""
    maps = {name: getattr(asset, name) for name in names}
    if "height" in maps:
        maps["height"] = maps["height"] / np.float32(asset.texel_size)
    return maps


def structured_planes(maps: MapArrays) -> MapArrays:
    """Return (SIZE, SIZE) planes of the maps whose structure is compared: brightness and height."""
    planes = {"albedo": maps["albedo"] @ LUMINANCE}
    return planes | ({"height": maps["height"] / np.float32(HEIGHT_RANGE)} if "height" in maps else {})


def describe_surface(maps: MapArrays) -> NDArray[np.float32]:
    """Compute the (k,) statistics of a surface.

    They are means and quantiles by channel, the strength by size of detail, and the structure.
    """
    parts: list[float] = []
    for name, values in maps.items():
        planes = values.reshape(SIZE, SIZE, -1)
        if name != "height":  # a height's mean is arbitrary
            parts += planes.mean((0, 1)).tolist()
        parts += np.quantile(planes, QUANTILES, axis=(0, 1)).ravel().tolist()
        parts += detail_strengths(values @ LUMINANCE if name == "albedo" else planes[..., 0])
    for plane in structured_planes(maps).values():
        parts += describe_structure(plane)
    return np.array(parts, np.float32) * np.float32(PERCENT)


def detail_strengths(plane: NDArray[np.float32]) -> list[float]:
    """Return the root mean square differences of neighbours along rows and columns at each size of detail."""
    found = []
    for _ in range(LEVELS):
        found += [float(np.sqrt(((np.roll(plane, 1, axis) - plane) ** 2).mean())) for axis in (0, 1)]
        half = len(plane) // 2
        plane = plane.reshape(half, 2, half, 2).mean((1, 3))
    return found
