"""Inversion target of portraits: a picture."""

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

SIZE = 48  # pixels along a side at which pictures are compared


def picture_target(path: Path) -> Target:
    """Read a picture as the target of an inversion.

    Args:
        path: Image file.

    Raises:
        InputError: The file can't be read as a picture.
    """
    try:
        with open_file(path) as stream, opened_image(stream, path.suffix.lower()) as image:
            picture = visible_image(image)[0].convert("RGBA")
    except InputError as error:
        raise InputError(f"{path} can't be used: {str(error).rstrip('.')}.") from error
    return Target(stack_pixels, shrink_pixels(picture), "of 255")


def stack_pixels(pictures: Sequence[Picture]) -> NDArray[np.float32]:
    """Return the (n, k) shrunken pixels of pictures."""
    return np.stack([shrink_pixels(Image.fromarray(picture.pixels).convert("RGBA")) for picture in pictures])


def shrink_pixels(picture: Image.Image) -> NDArray[np.float32]:
    """Shrink a picture and multiply its colours by alpha: (k,) pixels."""
    pixels = np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32)
    return np.concatenate([pixels[..., :3] * pixels[..., 3:] / np.float32(255), pixels[..., 3:]], -1).ravel()
