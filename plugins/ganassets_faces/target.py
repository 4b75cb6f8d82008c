"""Inversion target of heads: a skin texture."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganassets.api.assets import Mesh
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.spec import Target

from .skins import read_texture, to_head_layout
from .texels import texel_map

SIZE = 64  # texels along a side at which skins are compared


def skin_target(path: Path) -> Target:
    """Read a skin texture in MakeHuman's body layout as the target of an inversion.

    Args:
        path: Image file.

    Raises:
        InputError: The file can't be read as a skin texture.
        GanassetsError: Scipy is not installed.
    """
    if find_spec("scipy") is None:
        raise GanassetsError('skins need scipy, which is not installed; pip install "ganassets[train]" does that.')
    try:
        albedo = to_head_layout(read_texture(path), SIZE)
    except InputError as error:
        raise InputError(f"{path} can't be used: {str(error).rstrip('.')}.") from error
    inside = texel_map(SIZE).inside
    return Target(lambda heads: flatten_skins(heads, inside), albedo[:, inside].ravel(), "of 255")


def flatten_skins(heads: Sequence[Mesh], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the texels of the heads' skins, each the mean over its area, as (n, k) sRGB in [0, 255]."""
    rows = []
    for head in heads:
        albedo = head.materials[0].albedo
        assert albedo is not None
        factor = len(albedo) // SIZE
        blocks = albedo.reshape(SIZE, factor, SIZE, factor, 3).mean((1, 3), dtype=np.float32)
        rows.append(blocks.transpose(2, 0, 1)[:, inside].ravel())
    return np.stack(rows)
