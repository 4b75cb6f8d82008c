"""Painters of wood, bark, cloth, leather and grass."""

from __future__ import annotations

import numpy as np

from .noise_fields import NoiseFields
from .operations import FloatArray, between, blur, dome, hsl, mix, smoothstep, strokes
from .surface import MaterialSliders, PaintedSurface
from .weathering import add_stains


def plank(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint boards along x: rings cut lengthwise (arches in the middle, lines beside), fibres, knots, joints."""
    size = s.scale
    first, second = n.unit
    side = smoothstep(-0.01, 0.01, second)
    joint = max(size * between(z[0], 0.004, 0.03), 0.5)
    inside = n.border(s, 0.01) - joint + n.field(0, 1, 3) * (0.08 + 0.4 * s.wear)
    face = smoothstep(-0.5, 0.7, inside)
    slow = mix(stretch_along_x(n.field(0, 3, 4)), stretch_along_x(n.field(1, 3, 4)), side)
    knot, eye = knots(z, n)
    middle = n.y - first * 0.35
    rings = middle * middle * 2.0 + np.abs(middle) * 0.8 + slow * between(z[1], 0.03, 0.13)
    turns = rings * between(z[2], 4.0, 12.0) + knot * 1.7 + first * 3 + n.field(1, 1, 4) * 0.06
    phase = turns - np.floor(turns)
    late = smoothstep(0.2, 0.92, phase) * smoothstep(1.0, 0.92, phase)  # a ring darkens towards its end
    fibre = mix(n.field(0, 0, 3), n.field(1, 0, 3), side)
    long = mix(n.field(1, 0, 4), n.field(0, 0, 4), side)
    pore = smoothstep(1.2, 2.2, fibre + late * 0.3)
    other = s.colour(between(z[3], -0.02, 0.03), between(z[4], 0.6, 1.2), between(z[5], -0.14, 0.1))
    colour = mix(s.colour(), other, smoothstep(-0.7, 1.0, second))
    colour = colour * (1 + first * between(z[6], 0.03, 0.17) + slow * 0.03)
    contrast = between(z[7], 0.06, 0.24)
    colour = colour * (1 - contrast * (late - 0.38) + long * 0.045 + fibre * 0.04)
    dark = s.colour(-0.01, 1.1, -0.5 * s.lightness)
    colour = mix(colour, dark, np.maximum(pore * between(z[8], 0.05, 0.4), eye * 0.75))
    grain = late * (-0.25) + long * 0.12 + fibre * 0.1 - pore * 0.3
    weather = 1 + 3 * s.wear
    top = dome(inside, max(size * between(z[9], 0.01, 0.06), 1.2)) * (0.05 * size) + first * (0.012 * size)
    height = mix(-0.03 * size, top + grain * (weather * 0.6), face) - (0.04 * size)
    surface = PaintedSurface(
        colour,
        height,
        s.roughness + pore * 0.1 + fibre * 0.03 - late * 0.04,
    )
    crack = smoothstep(
        0.9,
        1.5,
        n.field(2, 1, 4) * 0.8 + n.field(0, 0, 4) * 0.5 + (1.2 * s.wear - 1.3),
    )
    surface = surface.overlay(crack, dark, 0.9).displace(crack * (-1.5))
    bleached = smoothstep(-0.5, 1.8, n.fractal(2, 40, 0.7, 1) + (2 * s.wear - 1.4)) * (0.7 * s.wear)
    surface = surface.overlay(bleached, s.colour(0.01, 0.3, 0.08) * (1 - 0.3 * late + fibre * 0.06), 0.9)
    return surface.overlay(1 - face, dark * 0.5, 0.95)


def stretch_along_x(values: FloatArray) -> FloatArray:
    """Stretch smooth noise along x."""
    return (values * 1.2 + np.roll(values, 16, 1) + np.roll(values, -16, 1)) / 2.2


def knots(z: FloatArray, n: NoiseFields) -> tuple[FloatArray, FloatArray]:
    """Return the shift of the rings by knots, and the cover of the knots' dark hearts; only some cells have one."""
    rare = between(z[10], 0.45, 1.1)
    chosen = smoothstep(rare, rare + 0.02, n.cell[1]) * smoothstep(0.0, 0.08, n.edge)
    radius = 0.1 + n.cell[0] * 0.04
    near = n.distance / radius
    return chosen * np.exp(-near * near * 0.3), chosen * smoothstep(1.0, 0.55, near + n.field(0, 1) * 0.08)


def bark(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint long plates between deep upright fissures, flaking in layers; wear brings lichen and moss."""
    size = s.scale
    wide = mix(upright_field(n, 0, 2), upright_field(n, 0, 3), smoothstep(24, 80, size))
    narrow = n.field(1, 3, 1)
    path = wide + n.field(1, 4, 2) * 0.45 + n.fractal(3, 10, 0.7) * 0.12
    across = np.abs(n.field(3, 3, 4) + n.field(2, 2) * 0.15)
    plate = smoothstep(0.03, between(z[0], 0.4, 0.9), np.abs(path)) * smoothstep(-0.1, 0.16, across)
    layers = 0.25 * (
        smoothstep(0.2, 0.3, narrow + n.field(3, 2) * 0.4) + smoothstep(-0.5, -0.4, narrow + n.field(1, 2) * 0.4)
    )
    fibre = n.fractal(0, 3, 0.8, -2)
    fine = n.field(0, 0)
    height = plate * 0.85 + layers * plate + fibre * 0.06 + n.fractal(3, 8, 0.8) * 0.05
    other = s.colour(between(z[1], -0.02, 0.04), between(z[2], 0.3, 1.1), between(z[3], -0.05, 0.15))
    colour = mix(s.colour(0, 1, 0.03), other, smoothstep(-0.8, 1.2, n.fractal(2, 32, 0.8, -1)))
    colour = colour * (1 + fibre * 0.12 + fine * 0.07 + (layers - 0.22) * 0.5)
    deep = s.colour(0.0, 1.1, -0.55 * s.lightness)
    colour = mix(deep, colour, 0.1 + 0.9 * smoothstep(0.0, 0.55, plate))
    surface = PaintedSurface(
        colour,
        (height - 0.75) * (0.17 * size),
        s.roughness + (1 - plate) * 0.05,
    )
    patch = n.fractal(2, 24, 0.85) + plate * 0.5 - (2.7 - 2.2 * s.wear)
    lichen = hsl(between(z[4], 0.13, 0.25), between(z[5], 0.05, 0.3), between(z[6], 0.35, 0.55)) * (
        1 + n.field(0, 1) * 0.14
    )
    cover = smoothstep(0.0, 0.35, patch) * 0.75
    return surface.overlay(cover, lichen, 0.95).displace(cover * (1 + fine) * 0.3)


def upright_field(n: NoiseFields, white: int, right: int) -> FloatArray:
    """Return smooth noise stretched upright, of unit variance."""
    field = n.field(white, 4, right)
    return (field + np.roll(field, 16, 0)) / 1.55


def fabric(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint woven cloth: the weft lies over the middle of each unit, the warp over its joints; threads are twisted."""
    size = s.scale
    width = size * s.aspect
    crossing = n.maps[12] / (2**0.5)  # 1 where the warp is on top, -1 where the weft is
    open_ = between(z[0], 0.0, 0.25)
    jitter = n.field(0, 3) * 0.05
    weft_round = np.clip(1 - (2 * n.y + jitter) ** 2 * (1 + open_), 0, 1)
    middle = 0.5 - np.abs(n.x)  # units from the warp's middle
    warp_round = np.clip(1 - (middle * 4 + jitter) ** 2 * (1 + open_), 0, 1)
    weft = np.sqrt(weft_round) * 0.6 - crossing * 0.4
    warp = np.sqrt(warp_round) * 0.6 + crossing * 0.4
    over = smoothstep(-0.06, 0.06, weft - warp)  # 1: the weft shows
    top = np.maximum(weft, warp)
    turn = 2 * np.pi
    twist = between(z[1], 2.0, 4.0)
    strands = mix(
        np.sin(turn * (n.y * round(twist) + middle * (width / size * 2.0))),
        np.sin(turn * (middle * (2 * round(twist)) + n.y * 2)),
        1 - over,
    )
    fuzz = mix(n.field(0, 0, 2), n.field(1, 2, 0), 1 - over)
    fine = n.field(1, 0)
    other = s.colour(between(z[2], -0.06, 0.06), between(z[3], 0.3, 1.3), between(z[4], -0.22, 0.22))
    two = between(2 * (z[5] - 0.3), 0, 1)
    warp_colour = mix(s.colour(), other, two)
    colour = mix(warp_colour, s.colour(), over)
    tone = fuzz * 0.07 + strands * 0.05 + fine * 0.04
    tone = tone + n.unit[0] * over * between(z[6], 0.0, 0.08) + n.fractal(2, 64, 0.6) * 0.03
    colour = colour * (1 + tone) * (0.55 + 0.5 * smoothstep(-0.15, 0.75, top))
    nap = between(z[7], 0.1, 0.8)
    height = (top - 0.7) * (0.22 * size) + strands * (0.02 * size)
    height = height + fuzz * (0.35 * nap) + fine * (0.25 * nap)
    surface = PaintedSurface(colour, height, s.roughness - smoothstep(0.3, 1, top) * 0.04 + 0.03)
    thin = smoothstep(0.9, 2.1, n.fractal(3, 40, 0.8) + (1.6 * s.wear - 0.5)) * s.wear
    pale = mix(surface.colour, 0.7, 0.45)
    surface = surface.overlay(thin * 0.6, pale).displace(-thin * (0.06 * size))
    surface = add_stains(surface, n, s, 0.3 * s.wear, surface.colour * hsl(0.09, 0.3, 0.5))
    pills = smoothstep(2.6, 3.2, n.field(2, 2) + (1.2 * s.wear)) * s.wear
    return surface.overlay(pills * 0.6, s.colour(0, 0.8, 0.1)).displace(pills * 1.5)


def leather(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint grain of cells with fine creases between them; wear rubs the tops pale and folds long creases in."""
    size = s.scale
    bend = n.fractal(0, size / 2, 0.6)
    edge = n.edge + bend * 0.025
    minor = dome(np.abs(n.fractal(1, size * 0.36, 0.35) + n.cell[0] * 0.4), between(z[0], 0.6, 1.1))
    tiny = dome(np.abs(n.field(3, 1)), 1.2)
    major = dome(np.maximum(edge, 0), between(z[4], 0.08, 0.24))
    coarse = between(z[1], 0.1, 0.9)
    pebble = np.minimum(1 - coarse + coarse * major, 0.25 + 0.75 * minor)
    top = pebble * 0.9 + n.cell[1] * 0.05 + tiny * 0.2
    pore = smoothstep(2.1, 2.9, n.field(2, 1)) * pebble
    cloud = n.fractal(2, 64, 0.7)
    colour = s.colour() * (1 + cloud * between(z[2], 0.005, 0.035) + n.cell[0] * 0.03 + n.field(0, 0) * 0.015)
    crease = smoothstep(0.5, 0.1, pebble)
    dark = s.colour(0.0, 1.1, -0.4 * s.lightness)
    colour = mix(colour, dark, crease * between(z[3], 0.15, 0.6))
    surface = PaintedSurface(
        colour * (1 - pore * 0.25),
        (top - 0.8) * (0.085 * size) - pore * 0.4 + n.field(1, 0) * 0.04,
        s.roughness + crease * 0.12 - 0.03 + cloud * 0.02,
    )
    rubbed = smoothstep(-0.2, 1.7, n.fractal(3, 48, 0.75) + (2.2 * s.wear - 1.2)) * s.wear * (1 - crease)
    surface = surface.overlay(
        rubbed * 0.65,
        s.colour(0.01, 0.75, 0.14 * (1 - s.lightness)) * (1 + n.field(0, 1) * 0.06),
        s.roughness + 0.15,
    )
    fold = smoothstep(1.0 + 1.5 * s.wear, 0.0, n.warp(0.08 * size, 0.5 * size)(n.edge) * size)
    fold = fold * smoothstep(1.6 - 1.5 * s.wear, 2.6 - 1.5 * s.wear, n.field(3, 4))
    return surface.overlay(fold * 0.7, dark, s.roughness + 0.15).displace(fold * (-0.08 * size))


# Layers of blades from the ground up: direction of a step (down, right), white noise, doublings of the length.
BLADES = (
    ((1.0, 0.5), 0, 3), ((-1.0, 0.35), 1, 3), ((0.6, 1.0), 2, 3), ((-0.5, 1.0), 3, 3),
    ((-1.0, -0.6), 0, 4), ((0.25, -1.0), 1, 3), ((-1.0, 0.1), 2, 4), ((-0.8, 0.8), 3, 3),
)  # fmt: skip


def grass(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint blades: strokes in several directions, each above the last, in varied greens with dry ones among them."""
    size = s.scale
    tuft, fine = n.fractal(2, size, 0.7), n.field(0, 0)
    soil = s.colour(-0.03, 0.6, -0.6 * s.lightness) * (1 + n.fractal(1, 8, 0.9) * 0.2)
    surface = PaintedSurface(soil, n.fractal(0, 16, 0.7) * 0.3, s.roughness + 0.05)
    dry = hsl(between(z[0], 0.11, 0.17), between(z[1], 0.25, 0.45), s.lightness + between(z[2], 0.02, 0.2))
    young = s.colour(between(z[3], -0.02, 0.03), between(z[4], 0.8, 1.3), between(z[5], 0.02, 0.12))
    lying = between(z[6], 0.4, 1.0) - 0.3 * s.wear
    for i, (direction, white, doublings) in enumerate(BLADES):
        level = i / (len(BLADES) - 1)
        seeds = n.field(white, 0) + tuft * 0.15 - (1.75 + 0.5 * (doublings - 3) - 0.3 * lying)
        stroke = strokes(seeds, direction, doublings, 0.45 / 2**doublings)
        cover = smoothstep(-0.02, 0.14, stroke)
        lit = np.clip(stroke, 0, 1)
        tone = n.field(3 - white, 1) * 0.1 + lit * 0.25 + (0.22 * level - 0.26)
        blade = mix(s.colour(), young, smoothstep(-0.4, 1.1, n.field(white, 2))) * (1 + tone)
        old = smoothstep(0.75, 1.2, n.field(1 - white % 2, 3) * 0.5 + (0.8 * s.wear + between(z[7], -0.4, 0.2)))
        surface = surface.overlay(cover, mix(blade, dry * (1 + tone), old), s.roughness)
        surface = surface.overlay(cover, height=(0.5 + 2.6 * level) + lit * 1.6 + tuft * (0.02 * size))
    bald = smoothstep(0.9, 1.7, n.fractal(3, 48, 0.85) + (1.8 * s.wear - 1.5))
    earth = hsl(0.1, 0.22, 0.25) * (1 + n.fractal(0, 6, 0.9) * 0.18)
    surface = surface.overlay(bald * 0.85, earth, 0.95).displace((-2.5) - bald * 1.5)
    return surface.displace(tuft * (0.03 * size) + blur(fine) * 0.1)
