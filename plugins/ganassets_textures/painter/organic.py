"""Painters of wood, bark, cloth, leather and grass."""

from __future__ import annotations

import numpy as np

from .noise_fields import NoiseFields
from .operations import FloatArray, between, dome, hsl, mix, smoothstep
from .surface import MaterialSliders, PaintedSurface
from .weathering import add_stains


def plank(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint boards along x: rings cut lengthwise (arches in the middle, lines beside), fibres, knots, joints."""
    size = s.scale
    first, second = n.unit
    joint = max(size * between(z[0], 0.006, 0.03), 0.7)
    fibre, long = n.channel("streak x"), n.channel("broad streak x")
    inside = n.border(s, 0.01) - joint + fibre * (0.08 + 0.4 * s.wear)
    face = smoothstep(-0.5, 0.7, inside)
    knot, eye = knots(z, n)
    middle = n.y - first * 0.35
    rings = middle * middle * 2.0 + np.abs(middle) * 0.8
    rings = rings + (n.field(0, 4) * first + n.field(1, 4) * second + long * 0.3) * between(z[1], 0.04, 0.14)
    turns = rings * between(z[2], 3.0, 8.0) + knot * 1.4 + first * 3 + fibre * 0.05
    phase = turns - np.floor(turns)
    late = smoothstep(0.2, 0.92, phase) * smoothstep(1.0, 0.92, phase)  # a ring darkens towards its end
    pore = smoothstep(1.2, 2.2, fibre + late * 0.3)
    other = s.colour(between(z[3], -0.02, 0.03), between(z[4], 0.6, 1.2), between(z[5], -0.14, 0.1))
    colour = mix(s.colour(), other, smoothstep(-0.7, 1.0, second + n.channel("slow 0") * 0.15))
    colour = colour * (1 + first * between(z[6], 0.03, 0.17) + long * 0.04)
    contrast = between(z[7], 0.06, 0.26)
    colour = colour * (1 - contrast * (late - 0.38) + fibre * 0.045 + n.field(0, 0) * 0.015)
    dark = s.colour(-0.01, 1.1, -0.5 * s.lightness)
    colour = mix(colour, dark, np.maximum(pore * between(z[8], 0.05, 0.4), eye * 0.75))
    grain = late * (-0.25) + fibre * 0.15 - pore * 0.3
    weather = 1 + 3 * s.wear
    top = dome(inside, max(size * between(z[9], 0.01, 0.06), 1.2)) * (0.05 * size) + first * (0.012 * size)
    height = mix(-0.03 * size, top + grain * (weather * 0.6), face) - (0.04 * size)
    surface = PaintedSurface(
        colour,
        height,
        s.roughness + pore * 0.1 + fibre * 0.03 - late * 0.04,
    )
    crack = smoothstep(0.9, 1.5, long * 0.7 + fibre * 0.6 + (1.2 * s.wear - 1.3))
    surface = surface.overlay(crack, dark, 0.9).displace(crack * (-1.5))
    bleached = smoothstep(-0.5, 1.8, n.slow(0, 2, 40) + (2 * s.wear - 1.4)) * (0.7 * s.wear)
    surface = surface.overlay(bleached, s.colour(0.01, 0.3, 0.08) * (1 - 0.3 * late + fibre * 0.06), 0.9)
    return surface.overlay(1 - face, dark * 0.5, 0.95)


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
    broad, thin = n.channel("broad streak y"), n.channel("streak y")
    fissure = np.abs(broad + n.field(1, 3) * 0.3 + thin * 0.12 + n.field(0, 2) * 0.1)
    wide = between(z[0], 0.5, 1.3) * (0.6 + size / 80)
    ridge = dome(np.maximum(fissure - 0.06, 0), wide)
    cross = smoothstep(0.02, 0.16, n.edge + n.field(2, 2) * 0.025 + n.field(3, 3) * 0.03)
    cross = np.maximum(cross, smoothstep(between(z[7], -1.2, 0.8), 1.2, n.slow(0, 3, 24, 0.4)))
    plate = ridge * (0.35 + 0.65 * cross)
    flake = n.field(3, 3) * 0.6 + thin * 0.4 + n.cell[0] * 0.5
    layers = 0.25 * (smoothstep(0.2, 0.3, flake) + smoothstep(-0.5, -0.4, flake + n.field(1, 2) * 0.3)) - 0.22
    fine = n.field(0, 0)
    height = plate * 0.95 + layers * plate * 0.8 + thin * 0.06 + n.field(2, 2) * 0.04 + n.channel("slow 0") * 0.06
    other = s.colour(between(z[1], -0.02, 0.04), between(z[2], 0.3, 1.1), between(z[3], -0.05, 0.15))
    colour = mix(s.colour(0, 1, 0.04), other, smoothstep(-0.8, 1.2, n.slow(1, 2, 32) + n.cell[1] * 0.6))
    colour = colour * (1 + thin * 0.09 + fine * 0.06 + layers * 0.5)
    deep = s.colour(0.0, 1.1, -0.6 * s.lightness)
    colour = mix(deep, colour, 0.1 + 0.9 * smoothstep(0.05, 0.7, plate))
    surface = PaintedSurface(
        colour,
        (height - 0.6) * (0.17 * size),
        s.roughness + (1 - plate) * 0.05,
    )
    patch = n.slow(0, 2, 24) + plate * 0.5 - (2.7 - 2.2 * s.wear)
    lichen = hsl(between(z[4], 0.13, 0.25), between(z[5], 0.05, 0.3), between(z[6], 0.35, 0.55)) * (
        1 + n.field(0, 1) * 0.14
    )
    cover = smoothstep(0.0, 0.35, patch) * 0.75
    return surface.overlay(cover, lichen, 0.95).displace(cover * (1 + fine) * 0.3)


def fabric(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint woven cloth: the weft lies over the middle of each unit, the warp over its joints; threads are twisted."""
    size = s.scale
    width = size * s.aspect
    crossing = n.channel("unit cos x") / (2**0.5)  # 1 where the warp is on top, -1 where the weft is
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
    twist = between(z[1], 2.0, 3.0)
    strands = mix(
        np.sin(turn * (n.y * round(twist) + middle * (width / size * 2.0))),
        np.sin(turn * (middle * (2 * round(twist)) + n.y * 2)),
        1 - over,
    )
    fuzz = mix(n.channel("streak x"), n.channel("streak y"), 1 - over)
    fine = n.field(1, 0)
    other = s.colour(between(z[2], -0.06, 0.06), between(z[3], 0.3, 1.3), between(z[4], -0.22, 0.22))
    two = between(2 * (z[5] - 0.3), 0, 1)
    warp_colour = mix(s.colour(), other, two)
    colour = mix(warp_colour, s.colour(), over)
    tone = fuzz * 0.06 + strands * 0.05 + fine * 0.04
    tone = tone + n.unit[0] * over * between(z[6], 0.0, 0.1) + n.channel("slow 0") * 0.03
    colour = colour * (1 + tone) * (0.55 + 0.5 * smoothstep(-0.15, 0.75, top))
    nap = between(z[7], 0.1, 0.8)
    height = (top - 0.7) * (0.22 * size) + strands * (0.02 * size)
    height = height + fuzz * (0.3 * nap) + fine * (0.25 * nap) + n.channel("slow 0") * 0.5
    surface = PaintedSurface(colour, height, s.roughness - smoothstep(0.3, 1, top) * 0.04 + 0.03)
    thin = smoothstep(0.9, 2.1, n.slow(1, 3, 40) + (1.6 * s.wear - 0.5)) * s.wear
    pale = mix(surface.colour, 0.7, 0.45)
    surface = surface.overlay(thin * 0.6, pale).displace(-thin * (0.06 * size))
    surface = add_stains(surface, n, s, 0.3 * s.wear, surface.colour * hsl(0.09, 0.3, 0.5))
    pills = smoothstep(2.6, 3.2, n.field(2, 2) + (1.2 * s.wear)) * s.wear
    return surface.overlay(pills * 0.6, s.colour(0, 0.8, 0.1)).displace(pills * 1.5)


def leather(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint grain of cells with fine creases between them; wear rubs the tops pale and folds soft creases in."""
    size = s.scale
    fine_grain = n.field(1, 1) * 0.5 + n.field(3, 2) * 0.5
    edge = np.maximum(n.edge + n.field(0, 2) * 0.02 + n.field(2, 3) * 0.02, 0)
    major = dome(edge, between(z[4], 0.1, 0.28))
    minor = dome(np.abs(n.field(2, 2) + n.field(1, 1) * 0.25), between(z[0], 0.5, 1.0))
    coarse = between(z[1], 0.25, 1.0)
    pebble = np.minimum(1 - coarse + coarse * major, 0.4 + 0.6 * minor)
    top = pebble + n.cell[1] * 0.08 * coarse + fine_grain * 0.05
    pore = smoothstep(2.1, 2.9, n.field(3, 1)) * pebble
    cloud = n.slow(0, 2, 64, 0.7)
    colour = s.colour() * (1 + cloud * between(z[2], 0.01, 0.06) + n.cell[0] * 0.03 + n.field(0, 0) * 0.015)
    crease = smoothstep(0.6, 0.1, pebble)
    dark = s.colour(0.0, 1.1, -0.45 * s.lightness)
    colour = mix(colour, dark, crease * between(z[3], 0.2, 0.7))
    surface = PaintedSurface(
        colour * (1 - pore * 0.25),
        (top - 0.8) * (0.12 * size) - pore * 0.4 + n.field(1, 0) * 0.04 + cloud * 0.4,
        s.roughness + crease * 0.12 - 0.03 + cloud * 0.02,
    )
    rubbed = smoothstep(-0.2, 1.7, n.slow(1, 3, 48) + (2.2 * s.wear - 1.2)) * s.wear * (1 - crease)
    surface = surface.overlay(
        rubbed * 0.65,
        s.colour(0.01, 0.75, 0.14 * (1 - s.lightness)) * (1 + n.field(0, 1) * 0.06),
        s.roughness + 0.15,
    )
    fold = smoothstep(2.0 + 4.0 * s.wear, 0.0, n.crack + n.field(0, 2) * 0.4)
    fold = fold * smoothstep(1.4 - 1.6 * s.wear, 2.4 - 1.6 * s.wear, n.channel("slow 0") + n.field(3, 4) * 0.3)
    return surface.overlay(fold * 0.4, dark, s.roughness + 0.1).displace(fold * (-0.06 * size))


def grass(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint blades: strands laid over each other, in varied greens with dry ones among them, over soil."""
    size = s.scale
    height, value = n.strand
    tuft, fine = n.fractal(2, size, 0.7), n.field(0, 0)
    slow = n.slow(0, 3, 48)
    soil = s.colour(-0.03, 0.6, -0.6 * s.lightness) * (1 + n.fractal(1, 8, 0.9) * 0.2)
    dry = hsl(between(z[0], 0.11, 0.17), between(z[1], 0.25, 0.45), s.lightness + between(z[2], 0.02, 0.2))
    young = s.colour(between(z[3], -0.02, 0.03), between(z[4], 0.8, 1.3), between(z[5], 0.02, 0.12))
    cut = between(z[6], 0.1, 0.5) + 0.5 * s.wear - tuft * 0.08 - n.channel("slow 0") * 0.1
    cover = smoothstep(cut - 0.25, cut + 0.05, height)
    lit = np.clip(height * 0.55, 0, 1.1)
    tone = value * 0.12 + (lit - 0.5) * between(z[8], 0.5, 0.9) + tuft * 0.05 + slow * 0.05
    blade = mix(s.colour(), young, smoothstep(-0.6, 1.0, value + tuft * 0.3)) * (1 + tone)
    old = smoothstep(0.75, 1.2, value * 0.6 + slow * 0.35 + (0.8 * s.wear + between(z[7], -0.4, 0.4)))
    surface = PaintedSurface(soil, -2.2 + n.fractal(0, 16, 0.7) * 0.3, s.roughness + 0.05)
    surface = surface.overlay(
        cover, mix(blade, dry * (1 + tone), old), s.roughness, height=height * (1.2 + 0.02 * size) - 1.6
    )
    bald = smoothstep(0.9, 1.7, n.slow(1, 1, 32) + (1.8 * s.wear - 1.5))
    earth = hsl(0.1, 0.22, 0.25) * (1 + n.fractal(0, 6, 0.9) * 0.18)
    surface = surface.overlay(bald * (1 - 0.6 * cover), earth, 0.95).displace(bald * -1.0)
    return surface.displace(tuft * (0.05 * size) + slow * (0.03 * size) + fine * 0.08)
