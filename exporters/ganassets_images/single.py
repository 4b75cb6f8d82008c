"""A picture as one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Picture

from .png import encode_png
from .webp import encode_webp

Text = Mapping[str, str]

FORMATS: dict[str, Callable[[NDArray[np.uint8], Text], bytes]] = {
    "png": lambda pixels, text: encode_png(pixels, srgb=True, text=text),
    "webp": encode_webp,
}


def encode_picture(asset: Picture, options: Mapping[str, Any]) -> dict[str, bytes]:
    """The file by its name; InputError when the format can't hold the picture.

    Args:
        asset: to write.
        options: "format", a key of FORMATS.
    """
    form = options["format"]
    return {f"{asset.name}.{form}": FORMATS[form](asset.pixels, asset.provenance.keywords(asset.name))}
