"""Find which triangle is seen in each sample of a picture, with numpy.

Triangles are cut into spans: the samples of one row that one triangle covers. All spans become samples at once, from
the farthest triangle to the nearest, so that the last one written to a place is nearly always the one that is seen; the
few places where it is not are written again until all are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .shading import FloatArray

IntArray = NDArray[np.int64]

CHUNK_SAMPLES = 2**20  # samples of triangles that are compared together
LEAST_AREA = 1e-3  # square samples; in thinner triangles values don't change from corner to corner


@dataclass(frozen=True)
class Samples:
    """Samples of a picture that lie in triangles.

    Attributes:
        places: (p,) indices into the picture, row by row.
        triangles: (p,) index of the triangle.
        right, down: (p,) float32, from the triangle's first corner to the sample's middle.
    """

    places: IntArray
    triangles: IntArray
    right: FloatArray
    down: FloatArray


@dataclass(frozen=True)
class Planes:
    """Values over triangles: at the first corner, and their change per sample to the right and down.

    Attributes:
        values, across, along: (k, t) float32.
    """

    values: FloatArray
    across: FloatArray
    along: FloatArray

    def at(self, samples: Samples) -> list[FloatArray]:
        """K arrays (p,) float32 of values at samples."""
        found: list[FloatArray] = []
        for value, across, along in zip(self.values, self.across, self.along, strict=True):
            total = across.take(samples.triangles)
            total *= samples.right
            down = along.take(samples.triangles)
            down *= samples.down
            total += down
            total += value.take(samples.triangles)
            found.append(total)
        return found


def planes(corners: FloatArray, values: FloatArray) -> Planes:
    """Interpolate (k, t, 3) values at the corners (t, 3, 2) of triangles."""
    (ax, ay), (bx, by) = (corners[:, 1:] - corners[:, :1]).transpose(1, 2, 0)
    area = ax * by - ay * bx
    inverse = np.where(np.abs(area) > LEAST_AREA, 1, 0) / np.where(area == 0, 1, area)
    start = values[..., 0]
    first, second = values[..., 1] - start, values[..., 2] - start
    across = first * (by * inverse) - second * (ay * inverse)
    along = second * (ax * inverse) - first * (bx * inverse)
    return Planes(*(np.ascontiguousarray(part, np.float32) for part in (start, across, along)))


def faces_camera(corners: FloatArray) -> NDArray[np.bool_]:
    """Return a mask (t,) of the triangles (t, 3, 2) that are counter-clockwise in the picture; rows run downwards."""
    (ax, ay), (bx, by) = (corners[:, 1:] - corners[:, :1]).transpose(1, 2, 0)
    return ax * by - ay * bx < 0


def find_visible(corners: FloatArray, depths: FloatArray, rows: int, columns: int) -> Samples:
    """Find the samples that show a triangle, and the nearest triangle in each.

    Args:
        corners: (t, 3, 2) float32, samples to the right and down from the upper left corner of the picture; triangles
            that don't face the camera are not seen.
        depths: (t, 3) float32 of the corners, larger is nearer.
        rows: Samples of the picture along its height.
        columns: Samples along its width.

    Returns:
        Samples in the order of their places.
    """
    front = np.flatnonzero(faces_camera(corners))
    front = front[np.argsort(depths[front].mean(1), kind="stable")]
    spans, counts = spans_of(corners, front, rows, columns)
    depth = planes(corners, depths[None])
    starts, slopes = depth.at(spans)[0], depth.across[0].take(spans.triangles)
    before = np.cumsum(counts) - counts
    nearest = np.full(rows * columns, -np.inf, np.float32)
    seen = np.full(rows * columns, -1)
    for first, last in portions(counts):
        span = np.repeat(np.arange(first, last), counts[first:last])
        steps: IntArray = np.arange(len(span)) + before[first] - before.take(span)
        places: IntArray = spans.places.take(span) + steps
        deep: FloatArray = slopes.take(span) * steps.astype(np.float32)
        deep += starts.take(span)
        triangles = spans.triangles.take(span)
        # The last one written to a place stays. Those that are nearer than what stayed are written again.
        nearer = np.flatnonzero(deep > nearest.take(places))
        while len(nearer):
            here, depths_here = places.take(nearer), deep.take(nearer)
            nearest[here], seen[here] = depths_here, triangles.take(nearer)
            nearer = nearer[depths_here > nearest.take(here)]
    found = np.flatnonzero(seen >= 0)
    return samples_at(found, seen[found], corners, columns)


def samples_at(places: IntArray, triangles: IntArray, corners: FloatArray, columns: int) -> Samples:
    """Measure where places of a picture with that many columns lie in their triangles."""
    rows, rest = np.divmod(places.astype(np.uint32), np.uint32(columns))
    right, down = rest.astype(np.float32), rows.astype(np.float32)
    right -= np.ascontiguousarray(corners[:, 0, 0] - np.float32(0.5)).take(triangles)
    down -= np.ascontiguousarray(corners[:, 0, 1] - np.float32(0.5)).take(triangles)
    return Samples(places, triangles, right, down)


def portions(counts: IntArray) -> list[tuple[int, int]]:
    """Split spans with `counts` samples into runs of about CHUNK_SAMPLES samples: first index and end index."""
    ends = np.cumsum(counts)
    inner = np.searchsorted(ends, np.arange(CHUNK_SAMPLES, int(counts.sum()), CHUNK_SAMPLES))
    borders: list[int] = [0, *inner.tolist(), len(counts)]
    return [(first, last) for first, last in pairwise(borders) if first < last]


def spans_of(corners: FloatArray, which: IntArray, rows: int, columns: int) -> tuple[Samples, IntArray]:
    """Cut triangles into spans, the samples of one row whose middles lie in one triangle.

    Two triangles with a common edge compute the same numbers along it, so they leave no gap and don't overlap.

    Args:
        corners: (t, 3, 2) of all triangles.
        which: (k,) indices of those to cut.
        rows: Samples of the picture along its height.
        columns: Samples along its width.

    Returns:
        The first sample of each span, and (s,) how many there are.
    """
    x, y = corners[which].transpose(2, 0, 1)
    order = np.argsort(y, 1, kind="stable")
    (x0, x1, x2), (y0, y1, y2) = (np.take_along_axis(values, order, 1).T for values in (x, y))
    top, middle, bottom = (np.clip(np.ceil(values - 0.5), 0, rows).astype(np.int64) for values in (y0, y1, y2))
    counts = bottom - top
    piece = np.repeat(np.arange(len(which)), counts)
    row = np.arange(len(piece)) - (np.cumsum(counts) - counts - top).take(piece)
    height = row.astype(np.float32) + np.float32(0.5)
    # One side of the triangle is the edge from its upper to its lower corner, the other one has two edges.
    slope, upper, lower = (
        (end - start) / np.where(stop == begin, 1, stop - begin)
        for start, end, begin, stop in ((x0, x2, y0, y2), (x0, x1, y0, y1), (x1, x2, y1, y2))
    )
    below = row >= middle[piece]
    second = np.where(below, len(which), 0) + piece
    one = x0[piece] + (height - y0[piece]) * slope[piece]
    starts, begins, slopes = (np.concatenate(pair) for pair in ((x0, x1), (y0, y1), (upper, lower)))
    two = starts[second] + (height - begins[second]) * slopes[second]
    left, right = (
        np.clip(np.ceil(values - 0.5), 0, columns).astype(np.int64)
        for values in (np.minimum(one, two), np.maximum(one, two))
    )
    kept = np.flatnonzero(right > left)
    places = row[kept] * columns + left[kept]
    return samples_at(places, which[piece[kept]], corners, columns), right[kept] - left[kept]
