"""Lossless WebP with 8 bits a channel."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ganassets.api.errors import InputError

LONGEST = 16383  # pixels of a side; the format's limit
# Numbers of EXIF's fields.
DESCRIPTION, SOFTWARE, COPYRIGHT = 270, 305, 33432


def encode_webp(pixels: NDArray[np.uint8], text: Mapping[str, str]) -> bytes:
    """A WebP file.

    Args:
        pixels: (h, w, c) with c 3 (RGB) or 4 (RGBA).
        text: what the file says about itself, by keyword; see ganassets.api.assets.Provenance.keywords.

    Raises:
        InputError: the picture is larger than the format can hold.
    """
    from PIL import Image

    if max(pixels.shape[:2]) > LONGEST:
        raise InputError(f"WebP holds up to {LONGEST} texels a side; choose --option format=png.")
    exif = Image.Exif()
    exif[DESCRIPTION] = json.dumps(dict(text))
    exif[SOFTWARE], exif[COPYRIGHT] = text["Software"], text["Copyright"]
    file = io.BytesIO()
    # exact: the colour of transparent texels stays
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, exact=True, exif=exif)
    return file.getvalue()
