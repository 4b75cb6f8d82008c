"""The domain of heads: skin texture and head shape from one network, seen by the discriminator in texture space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganassets.api.spec import Preset
from ganassets.training.networks import Domain, LinearFit, coarse_and_fine

from .basis import load_basis
from .texels import border_fade, texel_map

# Displacement in metres that is 1 in the discriminator's view of the shape.
VIEW_METRES = 0.006
# Gain of the detail in the discriminator's view: its range is about a twentieth of the albedo's.
DETAIL_SCALE = 8.0


class FacesDomain(Domain):
    """Domain of heads.

    A raw sample is `albedo` (n, 3, size, size) about [0, 1] and `shape` (n, 64) coefficients of the head basis.
    """

    points_mean: Tensor
    points_basis: Tensor
    fade: Tensor
    texel_basis: Tensor

    def __init__(self, preset: Preset, fit: LinearFit) -> None:
        super().__init__(fit)
        basis = load_basis()
        self.signals, self.vectors = {"albedo": 3}, {"shape": len(basis.components)}
        self.wraps = (False, False)
        self.size, self.network_size = preset.size, preset.network_size
        self.subpixel = True
        self.factor = preset.size // preset.network_size
        self.view_channels = 6 if self.factor == 1 else 6 + 3 * self.factor**2
        points = len(basis.mean)
        self.vertex_count = basis.vertex_count
        self.register_buffer("points_mean", torch.from_numpy(basis.mean.copy()))
        self.register_buffer("points_basis", torch.from_numpy(basis.components.reshape(-1, points * 3).copy()).half())
        # The linear model alone reaches the island's border, because its components are continuous across the seam.
        self.register_buffer("fade", torch.from_numpy(border_fade(preset.size))[None, None])
        # The displacement of the surface under each texel is linear in the shape. Training alone needs it.
        texels = texel_map(preset.network_size)
        at_texels = np.stack([texels.interpolate(c[: basis.vertex_count]).transpose(2, 0, 1) for c in basis.components])
        self.register_buffer("texel_basis", torch.from_numpy(at_texels / VIEW_METRES), persistent=False)

    def combine(self, linear: dict[str, Tensor], residual: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the networks' albedo inside the skin island only; its border keeps the linear model's."""
        return linear | {"albedo": linear["albedo"] + self.fade * residual["albedo"]}

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Convert raw samples to positions and joints in metres and albedo in [0, 1] sRGB."""
        del condition
        points = self.points_mean + (raw["shape"] @ self.points_basis.float()).reshape(-1, *self.points_mean.shape)
        return {
            "positions": points[:, : self.vertex_count],
            "joints": points[:, self.vertex_count :],
            "albedo": raw["albedo"].clamp(0, 1),
        }

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return what the discriminator sees: (n, view_channels, network_size, network_size).

        Channels are the albedo and the displacement from the mean head under each texel. An albedo larger than the
        networks adds its detail: the difference of each texel from the mean around it.
        """
        coarse, fine = raw["albedo"], []
        if self.factor > 1:
            coarse, detail = coarse_and_fine(raw["albedo"], self.factor)
            fine = [detail * DETAIL_SCALE]
        moved = (raw["shape"] @ self.texel_basis.flatten(1)).reshape(-1, *self.texel_basis.shape[1:])
        return torch.cat([(coarse - 0.5) * 5, moved, *fine], 1)
