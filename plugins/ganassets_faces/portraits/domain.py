"""The domain of portraits: one picture, with colours multiplied by alpha where it has alpha."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ganassets.api.spec import Preset
from ganassets.training.networks import Domain, LinearFit, coarse_and_fine

# Gains that give the discriminator's view a variance of about 1.
VIEW_GAIN, DETAIL_GAIN = 4.0, 4.0
# Least divisor of colours: below this alpha they are hardly visible, and division would amplify rounding errors.
LEAST_ALPHA = 0.05
# Slope of the sigmoid that makes alpha, and slope far from its middle, without which wholly clear pictures stay so.
ALPHA_SLOPE, ALPHA_LEAK = 4.0, 0.01


class PicturesDomain(Domain):
    """Domain of pictures.

    A raw sample is `colour` (n, 3 or 4, size, size) about [0, 1]: a square, whatever the aspect of the picture.
    """

    rows: Tensor
    columns: Tensor
    mean: Tensor

    def __init__(self, preset: Preset, fit: LinearFit) -> None:
        super().__init__(fit)
        channels = len(fit.means["colour"])
        self.signals, self.vectors = {"colour": channels}, {}
        self.wraps = (False, False)
        self.size, self.network_size = preset.size, preset.network_size
        self.subpixel = True
        self.factor = preset.size // preset.network_size
        self.view_channels = channels if self.factor == 1 else channels * (1 + self.factor**2)
        self.moves = True
        # Augmentation changes colours about a middle grey, which premultiplied colours don't have.
        self.colours = (0, 1, 2) if channels == 3 else ()
        self.register_buffer("mean", torch.tensor(fit.means["colour"]))
        height, width = shown_size(preset.size, float(fit.constants["aspect"][0]))
        self.register_buffer("rows", torch.from_numpy(area_means(preset.size, height)))
        self.register_buffer("columns", torch.from_numpy(area_means(preset.size, width).T.copy()))

    def centre(self, residual: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Add the mean picture to the networks' signals; alpha goes through a sigmoid, which makes its edges crisp."""
        del condition
        if len(self.mean) == 3:
            return {"colour": self.mean + residual["colour"]}
        colour, alpha = residual["colour"][:, :3], residual["colour"][:, 3:]
        level = self.mean[3:] - 0.5 + alpha
        alpha = torch.sigmoid(ALPHA_SLOPE * level) + ALPHA_LEAK * level
        return {"colour": torch.cat([(0.5 + colour) * alpha, alpha], 1)}

    def finish(self, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
        """Convert raw samples to pictures in [0, 1] sRGB at their aspect, with alpha divided out of the colours."""
        del condition
        colour = self.restore_aspect(raw["colour"])
        if colour.shape[1] == 4:
            alpha = colour[:, 3:].clamp(0, 1)
            colour = torch.cat([colour[:, :3] / alpha.clamp_min(LEAST_ALPHA), alpha], 1)
        return {"picture": colour.clamp(0, 1)}

    def restore_aspect(self, colour: Tensor) -> Tensor:
        """Shrink (n, c, size, size) squares to (n, c, height, width)."""
        square = self.rows.shape[0] == self.columns.shape[1]
        return colour if square else self.rows @ colour @ self.columns

    def view(self, raw: dict[str, Tensor]) -> Tensor:
        """Return what the discriminator sees: (n, view_channels, network_size, network_size) about 0.

        A picture larger than the networks adds its detail.
        """
        if self.factor == 1:
            return (raw["colour"] - 0.5) * VIEW_GAIN
        coarse, detail = coarse_and_fine(raw["colour"], self.factor)
        return torch.cat([(coarse - 0.5) * VIEW_GAIN, detail * DETAIL_GAIN], 1)

    def images(self, view: Tensor, background: Tensor) -> Tensor:
        """Return the pictures of views, (n, 3, size, size), transparent ones over (n, 3, 1, 1) backgrounds."""
        channels = len(self.mean)
        colour = view[:, :channels] / VIEW_GAIN + 0.5
        if self.factor > 1:
            detail = functional.pixel_shuffle(view[:, channels:] / DETAIL_GAIN, self.factor)
            colour = functional.interpolate(colour, scale_factor=float(self.factor), mode="nearest") + detail
        return colour if channels == 3 else colour[:, :3] + background * (1 - colour[:, 3:])


def shown_size(size: int, aspect: float) -> tuple[int, int]:
    """Return the (height, width) of an aspect whose longer side is the size."""
    return max(round(size / max(aspect, 1)), 1), max(round(size * min(aspect, 1)), 1)


def area_means(old: int, new: int) -> NDArray[np.float32]:
    """Return the (new, old) matrix that shrinks an axis: each new sample is the mean of the old ones under it."""
    edges = np.arange(new + 1) * old / new
    below = np.clip(edges[:, None] - np.arange(old), 0, 1)  # share of each old sample below an edge
    return (np.diff(below, axis=0) * new / old).astype(np.float32)
