"""Quilt a texture from patches of an example, the usual method before networks.

Source: Efros and Freeman (2001), "Image Quilting for Texture Synthesis and Transfer".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatArray = NDArray[np.float32]

# A patch is drawn from those whose error in the overlap is at most this share above the smallest.
TOLERANCE = 0.1


class Quilter:
    """Quilts textures from one example.

    Args:
        example: (h, w, channels), at least a patch large.
        patch: Side of a patch in texels.
        overlap: Texels by which neighbouring patches overlap.
    """

    def __init__(self, example: FloatArray, patch: int = 32, overlap: int = 8) -> None:
        self.example, self.patch, self.overlap = example, patch, overlap
        self.spectrum = np.asarray(fft.rfft2(example, axes=(0, 1)))
        self.squares_spectrum = np.asarray(fft.rfft2((example**2).sum(2, keepdims=True), axes=(0, 1)))
        self.squares: dict[tuple[bool, bool], FloatArray] = {}

    def __call__(self, size: int, rng: np.random.Generator) -> FloatArray:
        """Quilt a (size, size, channels) texture.

        Patches are laid in rows, each chosen among those that fit what lies there already, and cut where they differ
        least.
        """
        patch, overlap = self.patch, self.overlap
        step = patch - overlap
        count = -(-(size - overlap) // step)
        side = count * step + overlap
        out = np.zeros((side, side, self.example.shape[2]), np.float32)
        for y in range(0, count * step, step):
            for x in range(0, count * step, step):
                place = out[y : y + patch, x : x + patch]
                found = self.find_patch(place, (y > 0, x > 0), rng)
                difference = ((found - place) ** 2).sum(2)
                new = np.ones((patch, patch), np.bool_)
                if x:
                    new[:, :overlap] &= mask_beyond_cut(difference[:, :overlap])
                if y:
                    new[:overlap] &= mask_beyond_cut(difference[:overlap].T).T
                place[new] = found[new]
        return out[:size, :size]

    def find_patch(self, place: FloatArray, laid_sides: tuple[bool, bool], rng: np.random.Generator) -> FloatArray:
        """Return a patch of the example that is close to a place where that is laid already.

        Args:
            place: (patch, patch, channels) texels of the place.
            laid_sides: Whether the overlaps at the top and at the left are laid.
            rng: Random state.
        """
        rows, columns = self.example.shape[:2]
        laid = np.zeros((self.patch, self.patch), np.bool_)
        laid[: self.overlap] |= laid_sides[0]
        laid[:, : self.overlap] |= laid_sides[1]
        if laid_sides not in self.squares:
            self.squares[laid_sides] = self.correlate(self.squares_spectrum, laid[..., None])
        products = self.correlate(self.spectrum, place * laid[..., None])
        # The sum of squared differences at every position of the patch that lies inside the example.
        error = self.squares[laid_sides] - 2 * products + (place[laid] ** 2).sum()
        error = np.maximum(error[: rows - self.patch + 1, : columns - self.patch + 1], 0)
        tops, lefts = np.nonzero(error <= (1 + TOLERANCE) * error.min() + 1e-6)
        pick = int(rng.integers(len(tops)))
        top, left = tops[pick], lefts[pick]
        return self.example[top : top + self.patch, left : left + self.patch]

    def correlate(self, spectrum: NDArray, template: NDArray) -> FloatArray:
        """Return the (h, w) sums of products of the example, given by its spectrum, and a template at each position."""
        size = self.example.shape[:2]
        padded = np.zeros((*size, template.shape[2]), np.float32)
        padded[: self.patch, : self.patch] = template
        conjugate = np.conj(np.asarray(fft.rfft2(padded, axes=(0, 1))))
        return np.asarray(fft.irfft2((spectrum * conjugate).sum(2), size))


def mask_beyond_cut(difference: FloatArray) -> NDArray[np.bool_]:
    """Mask (h, w) texels on and right of the vertical path along which the (h, w) difference is smallest."""
    cost = difference.astype(np.float64)
    for row in range(1, len(cost)):
        above = np.pad(cost[row - 1], 1, constant_values=np.inf)
        cost[row] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    cut = np.zeros(len(cost), np.int64)
    cut[-1] = cost[-1].argmin()
    for row in range(len(cost) - 2, -1, -1):
        first = max(cut[row + 1] - 1, 0)
        cut[row] = first + cost[row, first : cut[row + 1] + 2].argmin()
    return np.arange(cost.shape[1]) >= cut[:, None]
