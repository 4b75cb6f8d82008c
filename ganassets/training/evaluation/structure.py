"""Measure the structure of materials: spectra, autocorrelations and edges, with numpy only.

No network judges here, so a model that learns by a network's features can't flatter these measures.

Power spectrum and autocorrelation hold the same facts: noise with the right spectrum meets both. Edges see what the
spectrum doesn't. Noise has about the same slope everywhere; pictures have flat areas and sharp edges, and the edges are
arranged. What is a lot and what is little is measured on the data: between two halves of the real samples, and between
real samples and noise with their spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Smallest side, in texels, of a level; each level is half as large as the one before.
MIN_SIDE = 16
EDGE_LEVELS, ARRANGEMENT_LEVELS = 4, 3
# Shares of the texels with weaker edges, at which distributions of edges are compared.
QUANTILES = np.linspace(0.005, 0.995, 100)
# Standard deviation, as a share of black to white, below which a map counts as even.
EVEN = 2e-3
# Peaks of an autocorrelation: width in texels of the background that they stand out of, smallest height above it, most
# peaks, and the tolerance of their place in texels, which grows with the distance.
BACKGROUND, MIN_PEAK, MOST_PEAKS = 4, 0.03, 12
TOLERANCE, RELATIVE_TOLERANCE = 2, 0.05
# Without this ratio between the differences of noise and of real samples, a statistic can't tell them apart.
MIN_CONTRAST = 2.0
# Bins of the spectrum: rings from the lowest to the highest frequency, and directions.
RINGS, SECTORS = 8, 6


@dataclass(frozen=True)
class StructureScores:
    """Structure of samples in comparison with real ones; NaN where real samples have none of the kind.

    Attributes:
        spectrum: Mean difference of the power spectra in dB, over frequencies and directions.
        autocorrelation: Mean difference of the autocorrelations of brightness and of edges, over all shifts.
        edges: How far the strengths of edges are from those of noise with the real spectrum (0) and near to real
            ones (1).
        arrangement: The same for the places of edges: the autocorrelation of their strength.
        peaks: Share of the peaks of the real autocorrelations, of brightness and of edges, that the samples have at the
            same shift and of the same height, weighted by height. NaN for materials without peaks, such as sand.
        structure: Geometric mean of edges, arrangement and peaks, as far as they are not NaN.
    """

    spectrum: float
    autocorrelation: float
    edges: float
    arrangement: float
    peaks: float
    structure: float


@dataclass(frozen=True, eq=False)
class SurfaceStatistics:
    """Statistics of a set of maps of one size.

    Attributes:
        spread: Standard deviation within a map.
        power: (rings, sectors) mean power spectrum in dB.
        brightness: Autocorrelation of the maps, (h / 2 + 1, w + 1): shifts down, and to the left and right.
        edge_quantiles: For each level (q,) quantiles of the edges' strength, relative to its root mean square.
        edge_correlations: For each level the autocorrelation of the edges' strength.
    """

    spread: float
    power: FloatArray
    brightness: FloatArray
    edge_quantiles: tuple[FloatArray, ...]
    edge_correlations: tuple[FloatArray, ...]


def to_planes(images: FloatArray) -> FloatArray:
    """Return the (n, h, w) brightness of (n, channels, h, w) images: luminance of colours, else the first channel."""
    if images.shape[1] < 3:
        return images[:, 0]
    return np.tensordot(LUMINANCE.astype(images.dtype), images[:, :3], (0, 1))


def halve(planes: FloatArray) -> FloatArray:
    """Return (n, h / 2, w / 2) means of 2 x 2 texels; an odd last row or column is dropped."""
    n, h, w = planes.shape
    return planes[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2).mean((2, 4))


def edge_strength(planes: FloatArray) -> FloatArray:
    """Return the (n, h - 2, w - 2) length of the gradient of (n, h, w) planes."""
    across = (planes[:, 1:-1, 2:] - planes[:, 1:-1, :-2]) / 2
    down = (planes[:, 2:, 1:-1] - planes[:, :-2, 1:-1]) / 2
    return np.hypot(across, down)


def autocorrelate(planes: FloatArray) -> FloatArray:
    """Return the mean autocorrelation of maps that need not wrap.

    Every shift is averaged over the texels that overlap, and divided by the variance.

    Args:
        planes: (n, h, w).

    Returns:
        (h // 2 + 1, 2 * (w // 2) + 1) correlations: shifts down from 0, and across with 0 in the middle. All are 0 for
        even maps.
    """
    _, h, w = planes.shape
    size = (2 * h, 2 * w)
    centred = planes - planes.mean((1, 2), keepdims=True)
    power = np.zeros((size[0], w + 1))
    for plane in centred:
        power += np.abs(np.fft.rfft2(plane, size)) ** 2
    overlap = np.outer(h - np.abs(np.fft.fftfreq(2 * h, 1 / (2 * h))), w - np.abs(np.fft.fftfreq(2 * w, 1 / (2 * w))))
    found = np.fft.irfft2(power, size) / np.maximum(overlap, 1)
    found /= found[0, 0] or 1.0
    down, across = h // 2, w // 2
    return np.concatenate([found[: down + 1, -across:], found[: down + 1, : across + 1]], 1)


def power_spectrum(planes: FloatArray) -> FloatArray:
    """Return the (RINGS, SECTORS) mean power of maps in dB, by frequency and direction; a window hides the borders."""
    _, h, w = planes.shape
    window = np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1])
    centred = (planes - planes.mean((1, 2), keepdims=True)) * window
    power = np.mean([np.abs(np.fft.rfft2(plane)) ** 2 for plane in centred], 0) / (window**2).sum()
    y, x = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None]
    radius, lowest = np.hypot(y, x), 1 / min(h, w)
    ring = np.floor(RINGS * np.log(np.maximum(radius, lowest) / lowest) / np.log(0.5 / lowest)).clip(0, RINGS - 1)
    sector = np.floor(SECTORS * (np.arctan2(y, x) / np.pi % 1)).clip(0, SECTORS - 1)
    bins = (ring * SECTORS + sector).astype(int)
    used = (radius > 0) & (radius <= 0.5)
    total, count = (
        np.bincount(bins[used], weights, RINGS * SECTORS) for weights in (power[used], np.ones(int(used.sum())))
    )
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return 10 * np.log10(means + 1e-9).reshape(RINGS, SECTORS)


def describe_surface(planes: FloatArray) -> SurfaceStatistics:
    """Compute the statistics of (n, h, w) maps, each at least MIN_SIDE texels large."""
    quantiles, correlations, level = [], [], planes.astype(np.float64)
    while min(level.shape[1:]) >= MIN_SIDE and len(quantiles) < EDGE_LEVELS:
        edges = edge_strength(level)
        quantiles.append(np.quantile(edges, QUANTILES) / max(float(np.sqrt((edges**2).mean())), 1e-9))
        if len(correlations) < ARRANGEMENT_LEVELS:
            correlations.append(autocorrelate(edges))
        level = halve(level)
    return SurfaceStatistics(
        spread=float(np.sqrt(planes.var((1, 2)).mean())),
        power=power_spectrum(planes),
        brightness=autocorrelate(planes),
        edge_quantiles=tuple(quantiles),
        edge_correlations=tuple(correlations),
    )


def mean_difference(a: Sequence[FloatArray], b: Sequence[FloatArray]) -> float:
    """Return the mean over levels of the mean absolute difference of two sequences of arrays."""
    return float(np.mean([np.abs(x - y).mean() for x, y in zip(a, b, strict=True)]))


def randomize_phases(planes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return noise with the power spectrum of each of (n, h, w) maps.

    Maps need not wrap: the jump at their borders is removed first, by the periodic component of Moisan (2011),
    "Periodic plus smooth image decomposition".
    """
    n, h, w = planes.shape
    jumps = np.zeros((n, h, w))
    for axis in (1, 2):
        difference = planes.take(-1, axis) - planes.take(0, axis)
        first = [slice(None)] * 3
        last = first.copy()
        first[axis], last[axis] = slice(0, 1), slice(-1, None)
        jumps[tuple(first)] += np.expand_dims(difference, axis)
        jumps[tuple(last)] -= np.expand_dims(difference, axis)
    laplacian = 2 * np.cos(2 * np.pi * np.fft.fftfreq(h))[:, None] + 2 * np.cos(2 * np.pi * np.fft.rfftfreq(w)) - 4
    laplacian[0, 0] = 1.0
    smooth = np.fft.rfft2(jumps) / laplacian
    smooth[:, 0, 0] = 0.0
    spectrum = np.fft.rfft2(planes) - smooth
    phases = np.fft.rfft2(rng.normal(size=planes.shape))
    phases /= np.maximum(np.abs(phases), 1e-12)
    phases[:, 0, 0] = 1.0
    return np.fft.irfft2(spectrum * phases, (h, w))


def blur(values: FloatArray, radius: int) -> FloatArray:
    """Blur (h, w) values with binomial weights of 2 * radius + 1 values along each axis."""
    weights = np.array([1.0])
    for _ in range(2 * radius):
        weights = np.convolve(weights, [0.5, 0.5])
    for axis in (0, 1):
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(values, pad, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis)
        values = windows @ weights
    return values


def relief(correlations: FloatArray) -> FloatArray:
    """Return how far an autocorrelation stands out of its surroundings."""
    return blur(correlations, 1) - blur(correlations, BACKGROUND**2)


def find_peaks(correlations: FloatArray) -> list[tuple[int, int, float]]:
    """Find the peaks of an autocorrelation, as of autocorrelate.

    A peak stands out of its surroundings, and the correlation is lower on the way to it: the ridge that leaves the
    middle along a stripe repeats nothing.

    Returns:
        (row, column, height) of at most MOST_PEAKS, the highest first; without the shifts near none.
    """
    height = relief(correlations)
    middle = height.shape[1] // 2
    down, across = np.arange(len(height))[:, None], np.arange(height.shape[1])[None] - middle
    # The lower half repeats the upper one, and so does the left half of the first row.
    allowed = (np.hypot(down, across) > 2 * BACKGROUND) & ((down > 0) | (across > 0))
    allowed &= (down < len(height) - 3) & (np.abs(across) < middle - 3) & (height > MIN_PEAK)
    padded = np.pad(height, 2, constant_values=-np.inf)
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).max((2, 3))
    rows, columns = np.nonzero(allowed & (height >= neighbours))
    smooth = blur(correlations, 1)
    found = [
        (int(y), int(x), float(height[y, x]))
        for y, x in zip(rows, columns, strict=True)
        if smooth[y, x] - lowest_on_the_way(smooth, int(y), int(x)) > MIN_PEAK
    ]
    return sorted(found, key=lambda peak: -peak[2])[:MOST_PEAKS]


def lowest_on_the_way(correlations: FloatArray, row: int, column: int) -> float:
    """Return the lowest correlation on the straight line from no shift to the one at a row and column."""
    middle = correlations.shape[1] // 2
    steps = np.linspace(0, 1, max(row, abs(column - middle)) + 1)
    return float(
        correlations[np.rint(steps * row).astype(int), np.rint(middle + steps * (column - middle)).astype(int)].min()
    )


def met_peaks(peaks: Sequence[tuple[int, int, float]], correlations: FloatArray) -> float:
    """Return the share of peaks, weighted by height, that another autocorrelation has at about the same shift.

    A peak of another height counts by the smaller height divided by the larger one.
    """
    height = relief(correlations)
    middle, met = height.shape[1] // 2, 0.0
    for y, x, expected in peaks:
        reach = TOLERANCE + int(RELATIVE_TOLERANCE * np.hypot(y, x - middle))
        found = float(height[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1].max())
        met += expected * max(0.0, min(found / expected, expected / found if found > 0 else 0.0))
    return met / sum(expected for *_, expected in peaks)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of the values that are not NaN; NaN without any."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.prod(known) ** (1 / len(known))) if known else float("nan")


class StructureReference:
    """Real maps of one material, or of materials that are compared together.

    Args:
        planes: (n, h, w) brightness, in which 0 to 1 is black to white; n at least 2.
        seed: Seed of the noise that it is compared with.
    """

    def __init__(self, planes: FloatArray, seed: int = 0) -> None:
        self.statistics = describe_surface(planes)
        noise = describe_surface(randomize_phases(planes.astype(np.float64), np.random.default_rng(seed)))
        self.is_even = self.statistics.spread < EVEN
        middle = len(planes) // 2
        splits = [
            (describe_surface(a), describe_surface(b))
            for a, b in ((planes[::2], planes[1::2]), (planes[:middle], planes[middle:]))
        ]
        self.edge_limits = self.limits(
            max(mean_difference(a.edge_quantiles, b.edge_quantiles) for a, b in splits),
            mean_difference(noise.edge_quantiles, self.statistics.edge_quantiles),
        )
        self.arrangement_limits = self.limits(
            max(mean_difference(a.edge_correlations, b.edge_correlations) for a, b in splits),
            mean_difference(noise.edge_correlations, self.statistics.edge_correlations),
        )
        self.peaks = [find_peaks(found) for found in self.correlations(self.statistics)]

    @staticmethod
    def correlations(statistics: SurfaceStatistics) -> tuple[FloatArray, FloatArray]:
        """Return the autocorrelations that have peaks: of brightness and of the finest edges."""
        return statistics.brightness, statistics.edge_correlations[0]

    def limits(self, real: float, noise: float) -> tuple[float, float] | None:
        """Return the differences that count as 1 and as 0; None when they are too similar to tell."""
        return None if self.is_even or noise < MIN_CONTRAST * real else (real, noise)

    def measure(self, planes: FloatArray) -> StructureScores:
        """Compare (n, h, w) maps of the same size with the real ones."""
        own, other = self.statistics, describe_surface(planes)
        is_even = other.spread < EVEN
        edges = share(mean_difference(own.edge_quantiles, other.edge_quantiles), self.edge_limits, is_even)
        arrangement = share(
            mean_difference(own.edge_correlations, other.edge_correlations), self.arrangement_limits, is_even
        )
        met = [
            0.0 if is_even else met_peaks(peaks, correlations)
            for peaks, correlations in zip(self.peaks, self.correlations(other), strict=True)
            if peaks and not self.is_even
        ]
        peaks = geometric_mean(met)
        return StructureScores(
            spectrum=float(np.nanmean(np.abs(own.power - other.power))),
            autocorrelation=mean_difference(self.correlations(own), self.correlations(other)),
            edges=edges,
            arrangement=arrangement,
            peaks=peaks,
            structure=geometric_mean([edges, arrangement, peaks]),
        )


def share(difference: float, limits: tuple[float, float] | None, is_even: bool) -> float:
    """Return 1 at the difference of real samples, 0 at that of noise or for even maps; NaN without limits."""
    if limits is None:
        return float("nan")
    real, noise = limits
    return 0.0 if is_even else float(np.clip((noise - difference) / (noise - real), 0, 1))
