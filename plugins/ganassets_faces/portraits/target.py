"""A picture as something that a model of pictures is to come near to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganassets.api.assets import Picture
from ganassets.api.data.images import opened_image, visible_image
from ganassets.api.data.sources import open_file
from ganassets.api.errors import InputError
from ganassets.api.spec import Target

SIZE = 48  # pixels of a side while pictures are compared


def picture_target(path: Path) -> Target:
    """The picture of a file; InputError when it can't be read."""
    try:
        with open_file(path) as stream, opened_image(stream, path.suffix.lower()) as image:
            picture = visible_image(image)[0].convert("RGBA")
    except InputError as error:
        raise InputError(f"{path} can't be used: {str(error).rstrip('.')}.") from error
    return Target(pictures_of, compared(picture), "of 255")


def pictures_of(pictures: Sequence[Picture]) -> NDArray[np.float32]:
    """(n, k) pixels of pictures."""
    return np.stack([compared(Image.fromarray(picture.pixels).convert("RGBA")) for picture in pictures])


def compared(picture: Image.Image) -> NDArray[np.float32]:
    """(k,) pixels of a smaller picture, colours multiplied by alpha."""
    pixels = np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32)
    return np.concatenate([pixels[..., :3] * pixels[..., 3:] / np.float32(255), pixels[..., 3:]], -1).ravel()
