"""Parts of the noise map that give materials their larger and longer features. numpy only.

Blocks are cellular noise at twice the pattern's size, seen through a warp, so that their edges wander: cracks, veins,
facets of rock. Slow noise changes over hundreds of texels: stains, fading, courses of another firing. Streaks are white
noise averaged along one axis: brush marks, fibres, drips, fissures. Strands are strokes laid over each other: blades,
straw, fibres. Scratches are rare straight lines, each of its own strength. All of it wraps, and comes from exactly
rounded operations on uniform numbers, so every platform computes the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganassets.api.latents import uniforms

FloatArray = NDArray[np.float32]

UNIFORM_SPREAD = np.float32(3.0**0.5)  # factor from uniform numbers in [-1, 1] to unit variance
# Streams of a seed's random numbers; see ganassets.api.latents.
BLOCK_STREAM, WARP_STREAM, SLOW_STREAM, STREAK_STREAM, STRAND_STREAM, SCRATCH_STREAM = 19, 20, 21, 22, 23, 26
BORDER_LIMIT = 8.0  # texels from a border beyond which all places are alike
BLOCK_UNITS = 2.0  # size of a block in units of the pattern
BAND = 32  # rows computed at a time, so that they fit the processor's cache
# Texels of a slow noise's lattice and its weight, for each slow channel.
SLOW_WAVES = (((48.0, 0.7), (96.0, 0.7)), ((96.0, 0.6), (192.0, 0.8)))
# Binary logarithms of the texels averaged along x and along y, for each streak.
STREAKS = ((5, 0), (6, 2), (0, 5), (3, 6))
# (down, right) texels of a step of each layer of strands, from the lowest layer to the highest.
STRAND_STEPS = ((1.0, 0.5), (-1.0, 0.35), (0.6, 1.0), (-0.5, 1.0), (-1.0, -0.6), (0.25, -1.0), (-1.0, 0.1), (-0.8, 0.8))
STRAND_DOUBLINGS = 4
STRANDS_PER_TEXEL = 0.014  # of each layer
SCRATCH_STEPS = (((0.35, 1.0), 5), ((-0.8, 1.0), 4), ((1.0, 0.3), 4), ((0.12, 1.0), 5))
SCRATCHES_PER_TEXEL = 0.0006  # of each direction


def draw_signed(seed: int, shape: tuple[int, ...], stream: int) -> FloatArray:
    """Draw uniform numbers in [-1, 1]."""
    return (2 * uniforms(seed, int(np.prod(shape)), stream) - 1).astype(np.float32).reshape(shape)


def count_units(length: int, unit: float) -> int:
    """Return how many units of about a length fit, at least one."""
    return max(1, round(length / unit))


def encode_border(texels: FloatArray) -> FloatArray:
    """Scale a distance to a border in texels, cut off at BORDER_LIMIT, to about zero mean and unit variance."""
    half = np.float32(BORDER_LIMIT / 2)
    return (np.minimum(texels, np.float32(BORDER_LIMIT)) - half) / np.float32(3)


def spline_weights(places: FloatArray) -> tuple[NDArray[np.intp], list[FloatArray]]:
    """Return the lattice point before each place, and the weights of it, of the nearest and of the next one."""
    nearest = np.floor(places)
    part = places - nearest - np.float32(0.5)
    half = np.float32(0.5)
    before, after = (half - part) * (half - part) * half, (half + part) * (half + part) * half
    weights = [before, np.float32(1) - before - after, after]
    return nearest.astype(np.intp) - 1, [weight.astype(np.float32) for weight in weights]


def smooth_noise(random: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Interpolate (rows, columns) random numbers over an (h, w) map that wraps, by quadratic B-splines."""
    values = random
    for axis in (0, 1):
        count, length = random.shape[axis], size[axis]
        places = (np.arange(length, dtype=np.float32) + np.float32(0.5)) * np.float32(count / length)
        first, weights = spline_weights(places)
        shape = (length, 1) if axis == 0 else (1, length)
        parts = [values.take((first + k) % count, axis) * weights[k].reshape(shape) for k in range(3)]
        values = parts[0] + parts[1] + parts[2]
    return values


def slow_noise(seed: int, size: tuple[int, int]) -> FloatArray:
    """Make (2, h, w) noise that changes over a hundred texels and more; on small maps it is nearly constant."""
    out = np.zeros((len(SLOW_WAVES), *size), np.float32)
    # Quadratic B-splines keep 0.55 of the variance along each axis.
    gain = UNIFORM_SPREAD / np.float32(0.55)
    for channel, waves in enumerate(SLOW_WAVES):
        shapes = [(count_units(size[0], wave), count_units(size[1], wave)) for wave, _ in waves]
        random = draw_signed(seed, (sum(h * w for h, w in shapes) + 1,), SLOW_STREAM + 100 * channel)
        start = 0
        for (rows, columns), (_, weight) in zip(shapes, waves, strict=True):
            part = random[start : start + rows * columns].reshape(rows, columns)
            out[channel] += smooth_noise(part, size) * (gain * np.float32(weight))
            start += rows * columns
    return out


def average_along(values: FloatArray, axis: int, doublings: int) -> FloatArray:
    """Sum values over 2**doublings and then over half as many neighbours along an axis that wraps."""
    for length in (doublings, doublings - 1):
        for k in range(max(length, 0)):
            values = values + np.roll(values, 1 << k, axis)
    return values


def average_gain(doublings: int) -> np.float32:
    """Return the root of the sum of the squared weights of average_along."""
    first, second = (np.ones(1 << max(length, 0)) for length in (doublings, doublings - 1))
    return np.float32(np.sqrt(np.square(np.convolve(first, second)).sum()))


def streak_noise(seed: int, size: tuple[int, int]) -> FloatArray:
    """Make (4, h, w) streaks: thin and broad ones along x, then along y."""
    random = draw_signed(seed, (len(STREAKS), *size), STREAK_STREAM)
    out = np.empty_like(random)
    for channel, (right, down) in enumerate(STREAKS):
        values = average_along(average_along(random[channel], 1, right), 0, down)
        out[channel] = values * (UNIFORM_SPREAD / (average_gain(right) * average_gain(down)))
    return out


def block_noise(seed: int, scale: float, size: tuple[int, int]) -> FloatArray:
    """Make (4, h, w) blocks: distance to the border in texels, edge, and two values of each block.

    Args:
        seed: Seed of the blocks.
        scale: Texels of a unit of the pattern.
        size: (h, w) texels.
    """
    unit = BLOCK_UNITS * scale
    rows, columns = count_units(size[0], unit), count_units(size[1], unit)
    random = draw_signed(seed, (4, rows, columns), BLOCK_STREAM)
    x, y = warped_places(seed, scale, size, (rows, columns))
    out = np.empty((4, *size), np.float32)
    for start in range(0, size[0], BAND):
        band = slice(start, start + BAND)
        edge, border, nearest = nearest_warped(random[:2], x[band], y[band])
        out[0, band] = encode_border(border * np.float32(size[0] / rows))
        out[1, band] = (edge - np.float32(0.38)) / np.float32(0.25)
        for k in (2, 3):
            out[k, band] = random[k].ravel()[nearest] * UNIFORM_SPREAD
    return out


def warped_places(
    seed: int, scale: float, size: tuple[int, int], counts: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Return the (h, w) places along x and y in blocks, shifted by smooth noise of two wavelengths."""
    waves = ((0.8 * scale, 0.34), (0.25 * scale, 0.09))
    shapes = [(count_units(size[0], wave), count_units(size[1], wave)) for wave, _ in waves]
    places = []
    for axis in (1, 0):
        length, count = size[axis], counts[axis]
        straight = (np.arange(length, dtype=np.float32) + np.float32(0.5)) * np.float32(count / length)
        place = np.broadcast_to(straight if axis == 1 else straight[:, None], size)
        for k, (shape, (_, amount)) in enumerate(zip(shapes, waves, strict=True)):
            random = draw_signed(seed, shape, WARP_STREAM + 100 * (2 * k + axis))
            place = place + smooth_noise(random, size) * np.float32(amount)
        places.append(place)
    return places[0], places[1]


def nearest_warped(
    offsets: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Find the cells of a jittered lattice of points that wraps, at (h, w) places.

    Args:
        offsets: (2, rows, columns) in [-1, 1], how far each cell's point is from its centre, along y and x.
        x: (h, w) places in cells.
        y: (h, w) places in cells.

    Returns:
        Difference of the distances to the second and the first nearest point; distance to the line halfway between
        them; and index of the nearest's cell along the rows.
    """
    rows, columns = offsets.shape[1:]
    jitter = np.float32(0.42)
    flat_y, flat_x = offsets[0].ravel() * jitter, offsets[1].ravel() * jitter
    row, column = np.floor(y), np.floor(x)
    part_y, part_x = y - row, x - column
    row, column = row.astype(np.intp), column.astype(np.intp)
    first = np.full(x.shape, np.inf, np.float32)
    second, nearest = first.copy(), np.zeros(x.shape, np.intp)
    first_place, second_place = np.zeros((2, 2, *x.shape), np.float32)
    for dy in (-1, 0, 1):
        at_row = (row + dy) % rows * columns
        for dx in (-1, 0, 1):
            index = at_row + (column + dx) % columns
            place = np.stack(
                [flat_y[index] + np.float32(dy + 0.5) - part_y, flat_x[index] + np.float32(dx + 0.5) - part_x]
            )
            square = place[0] * place[0] + place[1] * place[1]
            closer, between = square < first, square < second
            np.copyto(second_place, np.where(closer, first_place, place), where=between)
            np.copyto(first_place, place, where=closer)
            np.copyto(nearest, index, where=closer)
            np.minimum(second, np.maximum(square, first), out=second)
            np.minimum(first, square, out=first)
    apart = second_place - first_place
    length = np.sqrt(apart[0] * apart[0] + apart[1] * apart[1])
    border = (second - first) / (np.maximum(length, np.float32(0.01)) * np.float32(2))
    return np.sqrt(second) - np.sqrt(first), border, nearest


def strand_noise(seed: int, size: tuple[int, int]) -> FloatArray:
    """Make (2, h, w) strands: height of the upper strand, which tapers to its end, and the value of the strand."""
    per_layer = max(1, round(size[0] * size[1] * STRANDS_PER_TEXEL))
    random = uniforms(seed, 3 * per_layer * len(STRAND_STEPS), STRAND_STREAM).reshape(len(STRAND_STEPS), 3, per_layer)
    height, value = np.full(size, -1.0, np.float32), np.zeros(size, np.float32)
    taper = np.float32(1 / 2**STRAND_DOUBLINGS)
    for level, (step, (down, right, tone)) in enumerate(zip(STRAND_STEPS, random, strict=True)):
        stroke, tones = np.full(size, -1.0, np.float32), np.zeros(size, np.float32)
        index = (down * size[0]).astype(np.intp), (right * size[1]).astype(np.intp)
        stroke[index], tones[index] = 1.0, (2 * tone - 1).astype(np.float32)
        for k in range(STRAND_DOUBLINGS):
            shift = (round(step[0] * 2**k), round(step[1] * 2**k))
            moved = np.roll(stroke, shift, (0, 1)) - taper * np.float32(2**k)
            taller = moved > stroke
            np.copyto(tones, np.roll(tones, shift, (0, 1)), where=taller)
            np.maximum(stroke, moved, out=stroke)
        lifted = stroke + np.float32(0.18 * level)
        above = (stroke > 0) & (lifted > height)
        np.copyto(height, lifted, where=above)
        np.copyto(value, tones, where=above)
    return np.stack([(height - np.float32(0.8)) * np.float32(1.4), value * UNIFORM_SPREAD])


def scratch_noise(seed: int, size: tuple[int, int]) -> FloatArray:
    """Make an (h, w) map of rare straight lines, each with a strength from -1 to 1; -2 elsewhere."""
    count = max(1, round(size[0] * size[1] * SCRATCHES_PER_TEXEL))
    random = uniforms(seed, 3 * count * len(SCRATCH_STEPS), SCRATCH_STREAM).reshape(len(SCRATCH_STEPS), 3, count)
    out = np.full(size, -2.0, np.float32)
    for (step, doublings), (down, right, strength) in zip(SCRATCH_STEPS, random, strict=True):
        line = np.full(size, -2.0, np.float32)
        line[(down * size[0]).astype(np.intp), (right * size[1]).astype(np.intp)] = (2 * strength - 1).astype(
            np.float32
        )
        for k in range(doublings):
            line = np.maximum(line, np.roll(line, (round(step[0] * 2**k), round(step[1] * 2**k)), (0, 1)))
        np.maximum(out, line, out=out)
    return out
