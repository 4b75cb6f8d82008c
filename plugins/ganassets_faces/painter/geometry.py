"""Distances and soft shapes on the mean head, and the borders of its skin."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..basis import SKIN, load_basis


def smoothstep(x: Any, low: Any, high: Any) -> Any:
    """Return 0 below low, 1 above high and a smooth step between, for arrays or numbers."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def region(points: np.ndarray, centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    """Evaluate a Gaussian bump at (t, 3) points: (t,) in [0, 1]."""
    return np.exp(-0.5 * (((points - centre) / radii) ** 2).sum(1))


def crease(points: np.ndarray, blur: np.ndarray, line: tuple[tuple[float, float], ...], width: float) -> np.ndarray:
    """Draw a crease: (t,) alpha of a line seen from the front; coarse texels make it fainter instead of broader."""
    distance = distance_to_line(points[:, :2], np.array(line))
    spread = np.hypot(width, blur)
    return width / spread * np.exp(-0.5 * (distance / spread) ** 2) * smoothstep(points[:, 2], 0.045, 0.075)


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the (t,) distances of (t, d) points to a polyline of (k, d) corners."""
    best = np.full(len(points), np.inf)
    for a, b in pairwise(line):
        share = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        best = np.minimum(best, ((points - a - share[:, None] * (b - a)) ** 2).sum(1))
    return np.sqrt(best)


def eye_rim() -> np.ndarray:
    """Return the left eye's rim, the border of the skin round the eye: (k, 3) points in order."""
    return next(loop for loop in skin_borders() if loop[:, 0].min() > 0.01)


def mouth_rim() -> np.ndarray:
    """Return the mouth's rim: (k, 3) points in order, x mirrored to the left."""
    loop = next(rim for rim in skin_borders() if abs(rim[:, 0].mean()) < 0.01 and rim[:, 2].min() > 0.12)
    return np.column_stack([np.abs(loop[:, 0]), loop[:, 1:]])


def close_curve(loop: np.ndarray) -> np.ndarray:
    """Repeat a loop's first point at its end."""
    return np.concatenate([loop, loop[:1]])


@lru_cache(1)
def skin_borders() -> list[np.ndarray]:
    """Return the borders of the mean head's skin (neck, mouth, eyes), each (k, 3) points in order."""
    basis = load_basis()
    quads = basis.faces[basis.face_materials == SKIN]
    edges = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in edges}
    follow = {a: b for a, b in known if (b, a) not in known}
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop = [start]
        del follow[start]
        while at != start:
            loop.append(at)
            at = follow.pop(at)
        loops.append(basis.mean[loop])
    return loops
