"""Painters of bricks, stones, tiles, concrete, plaster and loose ground."""

from __future__ import annotations

import numpy as np

from .noise_fields import NoiseFields
from .operations import FloatArray, between, contours, dome, hsl, mix, smoothstep
from .surface import MaterialSliders, PaintedSurface
from .weathering import add_cracks, add_moss, add_stains

SOIL = (0.08, 0.25, 0.22)  # hue, saturation and lightness


def brick(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint bevelled bricks of two burnt colours in recessed mortar; wear chips and stains them and brings moss."""
    size = s.scale
    rough_edge = n.fractal(0, size / 5, 0.7) * (size * (0.01 + 0.04 * s.wear * between(z[8], 0.4, 1.2)))
    joint = size * between(z[0], 0.035, 0.085)
    inside = n.border(s, between(z[1], 0.03, 0.2)) - joint + rough_edge
    face = smoothstep(-0.8, 0.9, inside)
    first, second = n.unit
    grain, fine = n.fractal(1, size / 3, 0.8), n.field(0, 0)
    firing = n.channel("slow 0") * between(z[15], 0.0, 0.4)
    other = s.colour(between(z[2], -0.035, 0.045), between(z[12], 0.5, 1.2), between(z[3], -0.16, 0.16))
    colour = mix(s.colour(), other, smoothstep(-0.6, 1.2, second + grain * 0.2 + firing))
    spread = between(z[4], 0.06, 0.28)
    colour = colour * (1 + first * spread + grain * 0.06 + fine * 0.045)
    burnt = smoothstep(0.55, 0.9, second + first * 0.3 + grain * 0.06) * (between(z[13], 0, 0.6))
    colour = colour * (1 - 0.55 * burnt)
    top = dome(inside, size * between(z[5], 0.05, 0.16)) + first * 0.12 + grain * 0.035
    pits = smoothstep(1.4, 2.2, n.field(3, 1)) * face
    top = top + fine * 0.012 - pits * (0.2 + 0.3 * s.wear)
    bed = n.fractal(1, 6, 0.9)
    mortar = hsl(between(z[9], 0.05, 0.14), between(z[14], 0.02, 0.16), between(z[6], 0.3, 0.8))
    mortar = mortar * (1 + bed * 0.07 + fine * 0.05 + n.field(2, 3) * 0.04)
    height = mix(bed * 0.04 - 0.1, top, face) - 0.75
    surface = PaintedSurface(
        mix(mortar, colour * (1 - 0.25 * pits), face),
        height * (0.13 * size),
        mix(s.roughness + 0.12, s.roughness + grain * 0.04 + pits * 0.1, face),
    )
    surface = add_stains(surface, n, s, 0.5 * s.wear, surface.colour * 0.45)
    bloom = smoothstep(0.5, 2.2, n.slow(1, 3, 40) + s.wear) * (between(z[10], -0.4, 0.5) * s.wear)
    surface = surface.overlay(np.maximum(bloom, 0), hsl(0.1, 0.08, 0.75))
    return add_moss(surface, n, s, z[11], smoothstep(size * 0.12, 0, inside))


def cobble(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint rounded stones, from cells or from the lattice, with soil or sand between them."""
    size = s.scale
    square = between(4 * (z[7] + 0.8), 0, 1)  # 1: stones of the cells alone, 0: setts of the lattice
    jag = n.fractal(0, size / 3, 0.7) * (size * 0.012)
    gap = size * between(z[0], 0.03, 0.09)
    cells = n.edge * size + (size * 0.6 * (1 - square))
    setts = n.border(s, 0.22) * 0.9 + (size * 0.6 * square)
    inside = np.minimum(cells, setts) - gap + jag
    first, second = (mix(a, b, square) for a, b in zip(n.unit, n.cell, strict=True))
    face = smoothstep(-0.9, 1.1, inside)
    grain, fine = n.fractal(1, size / 3, 0.85), n.field(0, 0)
    other = s.colour(between(z[2], -0.06, 0.06), between(z[3], 0.3, 1.5), between(z[4], -0.14, 0.14))
    colour = mix(s.colour(), other, smoothstep(-0.5, 1.1, second + grain * 0.2 + n.channel("slow 0") * 0.15))
    colour = colour * (1 + first * between(z[5], 0.08, 0.3) + grain * 0.07 + fine * 0.05)
    speck = smoothstep(1.4, 2.3, n.field(3, 1)) * between(z[12], 0, 0.35)
    colour = colour + speck * (0.75 - colour)
    round_ = dome(inside, size * between(z[6], 0.14, 0.34))
    lean = n.tilt(size) * (0.35 * square)
    top = round_ + first * 0.12 + grain * 0.04 + fine * 0.01 + lean * face
    bed = n.fractal(3, 10, 0.9)
    soil = hsl(between(z[8], 0.06, 0.12), between(z[9], 0.05, 0.35), between(z[10], 0.15, 0.5))
    soil = soil * (1 + bed * 0.13 + fine * 0.1)
    surface = PaintedSurface(
        mix(soil, colour * (0.72 + 0.3 * round_), face),
        (mix(bed * 0.05, top, face) - 0.7) * (0.16 * size) + n.channel("slow 0") * (0.02 * size),
        mix(
            s.roughness + 0.15,
            s.roughness + 0.06 - first * 0.05 - round_ * 0.08,
            face,
        ),
    )
    dirt = smoothstep(0.15, 1.0, n.slow(1, 2, 40) * 0.4 + smoothstep(0.2 * size, 0, inside) + (s.wear - 0.75))
    surface = surface.overlay(dirt * (0.75 * s.wear), soil, s.roughness + 0.15)
    return add_moss(surface, n, s, z[11], smoothstep(size * 0.1, 0, inside))


def tile(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint glazed or stone tiles in thin grout, some of two colours or with a motif; wear cracks and soils them."""
    size = s.scale
    joint = max(size * between(z[0], 0.015, 0.04), 0.9)
    inside = n.border(s, between(z[1], 0.01, 0.06)) - joint
    face = smoothstep(-0.6, 0.6, inside)
    first, second = n.unit
    clouds, fine = n.fractal(1, 40, 0.65), n.field(0, 0)
    other = s.colour(between(z[2], -0.08, 0.08), between(z[3], 0.3, 1.4), between(z[4], -0.3, 0.3))
    chosen = smoothstep(-0.05, 0.05, second - between(z[5], 0.1, 1.6))
    colour = mix(s.colour(), other, np.maximum(chosen, motif(s, z, n)))
    marbled = between(z[8], 0.0, 0.09)
    veins = smoothstep(2.2, 0.3, n.crack) * smoothstep(-0.3, 1.2, clouds + first)
    colour = colour * (1 + first * between(z[9], 0.01, 0.12) + clouds * marbled)
    colour = colour * (1 - veins * (3 * marbled) + fine * between(z[10], 0.0, 0.03))
    grout = hsl(between(z[12], 0.04, 0.16), between(z[13], 0, 0.12), between(z[11], 0.2, 0.85) - 0.25 * s.wear)
    grout = grout * (1 + n.fractal(0, 5, 0.9) * 0.06)
    top = dome(inside, max(size * between(z[6], 0.03, 0.12), 1.8))
    lean = (n.x * first + n.y * second) * 0.25
    top = top + lean + first * 0.06 + clouds * 0.03
    gloss = s.roughness + clouds * 0.03 + first * 0.03
    surface = PaintedSurface(
        mix(grout, colour, face),
        (mix(n.field(0, 1) * 0.05, top, face) - 0.85) * (0.06 * size),
        mix(max(s.roughness, 0.5) + 0.25, gloss, face),
    )
    broken = smoothstep(1.15 - 0.8 * s.wear, 1.2 - 0.8 * s.wear, np.abs(first)) * face
    crack = smoothstep(0.9, 0.2, n.crack) * broken
    surface = surface.overlay(crack, surface.colour * 0.45, 0.8).displace(crack * (-0.012 * size))
    near = smoothstep(0.25 * size, 0, inside) * 0.6
    soil = smoothstep(0.3, 1.3, n.slow(0, 2, 36) * 0.5 + near + (s.wear - 0.6)) * (0.55 * s.wear)
    return surface.overlay(soil, hsl(0.09, 0.25, 0.28), 0.75)


def motif(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> FloatArray:
    """Return the cover in [0, 1] of a second glaze in the middle and the corners of each tile; most have none."""
    a, b = n.channel("unit cos x") / (2**0.5), n.channel("joint cos y") / (2**0.5)
    bend = between(z[7], -0.9, 0.9)
    wave = a + b + bend * a * b
    rings = 0.33 - np.abs(np.abs(wave) - between(z[15], 0.5, 1.3))
    return smoothstep(-1.5, 1.5, rings * (0.16 * s.scale)) * between(3 * (z[14] - 0.9), 0, 0.95)


def marble(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint polished stone: clouds, patches, and veins along wandering borders, broad and thin, light and dark."""
    cloud, detail, ripple = n.slow(0, 0, 64, 0.7), n.fractal(1, 48, 0.6), n.fractal(2, 10, 0.8)
    drift = n.channel("slow 1")
    patch, fade_block = n.block
    other = s.colour(between(z[0], -0.04, 0.04), between(z[1], 0.4, 1.6), between(z[2], -0.12, 0.12))
    tone = smoothstep(-1.5, 1.6, cloud + detail * 0.4 + patch * between(z[3], 0.2, 1.4))
    base = mix(s.colour(), other, tone * between(z[13], 0.3, 1.0))
    base = base * (1 + detail * between(z[12], 0.01, 0.05) + ripple * 0.012 + n.field(0, 0) * 0.012)
    ink = s.colour(between(z[5], -0.05, 0.05), between(z[6], 0.5, 2.0), between(z[4], 0.28, 0.6) * vein_contrast(s))
    away = n.crack + ripple * 0.4
    fade = smoothstep(-1.6, 0.6, drift * 0.5 + detail * 0.4 + fade_block * 0.5)
    width = 1.6 + smoothstep(-0.5, 2.0, cloud) * (0.08 * s.scale)
    web = smoothstep(width, 0.0, away) * fade
    halo = smoothstep(0.24, 0.0, n.block_edge + ripple * 0.02) * fade * between(z[8], 0.05, 0.5)
    hair = smoothstep(1.3, 0.1, n.edge * s.scale + n.field(3, 2) * 1.2 + n.field(2, 3) * 1.5)
    hair = hair * smoothstep(0.0, 1.4, cloud + n.field(1, 3) * 0.5) * between(z[9], 0.0, 0.8)
    band = contours(
        n.channel("slow 0") * 0.8 + detail * 0.3 + ripple * 0.05, 1.5 + 0.06 * s.scale * between(z[7], 0, 1)
    )
    veins = np.maximum(np.maximum(web, halo), np.maximum(hair, band * between(z[7], 0.0, 0.7)))
    veins = veins * between(z[10], 0.45, 0.95)
    scuff = smoothstep(0.8, 2.2, n.fractal(2, 32, 0.9) + s.wear) * s.wear
    surface = PaintedSurface(
        mix(base, ink, veins),
        cloud * 0.3 - veins * 0.25 + n.field(1, 2) * 0.1,
        s.roughness + veins * 0.06 + scuff * 0.25,
    )
    crack = smoothstep(0.9, 0.0, away) * smoothstep(1.3 - s.wear, 2.6 - s.wear, n.slow(1, 1))
    surface = surface.overlay(crack, surface.colour * 0.4, 0.8).displace(crack * -1.5)
    surface = add_stains(surface, n, s, 0.4 * s.wear, surface.colour * hsl(0.11, 0.35, 0.6))
    return surface.overlay(scuff * 0.3, surface.colour * 0.75)


def vein_contrast(s: MaterialSliders) -> float:
    """Return the direction of the veins' lightness in [-1, 1]: dark stones have light veins, light stones dark ones."""
    return float(np.tanh(8 * (0.45 - s.lightness)))


def concrete(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint cast concrete: clouds, air pores, sand grain, formwork marks and joints; wear cracks and stains it."""
    size = s.scale
    cloud, grain, fine = n.slow(0, 0, 64, 0.55), n.fractal(1, 6, 0.95), n.field(0, 0)
    stone = smoothstep(0.9, 1.5, n.field(1, 1)) * between(z[0] - 0.5, 0.0, 0.3)
    pore = smoothstep(between(z[1], 2.3, 3.4), 3.6, n.field(3, 1) + n.field(2, 2) * 0.6)
    joint, boards = between(3 * (z[2] - 0.7), 0, 1), between(3 * (z[7] - 1.0), 0, 1)
    groove = smoothstep(1.9, 0.5, n.border(s)) * joint
    hole = tie_holes(s, n) * (between(3 * z[3], 0, 1) * joint)
    plate = n.unit[0] * joint
    marks = (n.channel("streak y") * 0.6 + n.channel("broad streak y") * 0.7) * boards
    colour = s.colour() * (1 + cloud * between(z[4], 0.02, 0.08) + grain * between(z[5], 0.015, 0.06))
    colour = colour * (1 + plate * 0.07 + fine * 0.03 + stone * n.field(2, 1) * 0.6 + marks * 0.045)
    colour = colour * (1 - 0.4 * pore) * (1 - 0.55 * groove) * (1 - hole * 0.6)
    height = grain * between(z[6], 0.03, 0.2) + cloud * 0.4 + fine * 0.06 + marks * 0.25
    height = height + stone - pore * 1.3 - groove * (1 + 0.02 * size) - hole * 3 + plate * 0.3
    surface = PaintedSurface(colour, height, s.roughness + pore * 0.1 - cloud * 0.04)
    surface = add_cracks(surface, n, s, 1.0)
    surface = add_stains(surface, n, s, 0.5 * s.wear, surface.colour * hsl(0.09, 0.12, 0.5), 3)
    drips = smoothstep(0.4, 2.0, n.channel("broad streak y") * 0.8 + n.channel("streak y") * 0.3 + s.wear)
    return surface.overlay(drips * smoothstep(-0.3, 1.2, n.channel("slow 1")) * (0.5 * s.wear), surface.colour * 0.6)


def tie_holes(s: MaterialSliders, n: NoiseFields) -> FloatArray:
    """Return the cover in [0, 1] of a formwork's round tie holes, a quarter in from each end of a panel."""
    across = (n.across - 0.25) * s.scale
    return smoothstep(0.8, -0.8, np.hypot(across, n.y * s.scale) - (0.04 * s.scale))


def plaster(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint stucco: trowel marks or float grain under paint; wear flakes the paint off its bed and stains it."""
    size = s.scale
    marks = np.abs(n.fractal(0, size * 0.7, 0.55)) - np.abs(n.fractal(1, size * 0.7, 0.55))
    sweep = n.fractal(2, size * 0.4, 0.6)
    grain, fine = n.fractal(3, between(z[0], 3, 9), 0.8), n.field(0, 0)
    rough = between(z[1], 0.1, 1.0)
    height = marks * ((1 - rough) * 0.7) + sweep * 0.15 + grain * (rough * 0.5)
    height = height + fine * (0.06 + 0.12 * rough)
    cloud = n.slow(1, 2, 64)
    colour = s.colour() * (1 + cloud * 0.035 + np.tanh(height) * 0.035 + fine * 0.012)
    surface = PaintedSurface(colour, height, s.roughness - marks * 0.03)
    edge = n.slow(0, 0, 64, 0.65) + n.fractal(1, 8, 0.8) * 0.1 - (2.5 - 2.3 * s.wear)
    flaked = smoothstep(-0.05, 0.06, edge)
    bed = hsl(between(z[2], 0.05, 0.12), between(z[3], 0.03, 0.2), between(z[4], 0.4, 0.7))
    bed = bed * (1 + grain * 0.08 + fine * 0.06)
    surface = add_stains(surface, n, s, 0.4 * s.wear, surface.colour * hsl(0.1, 0.2, 0.55), 1)
    surface = surface.overlay(flaked, bed, s.roughness + 0.1).displace(flaked * (grain * 0.2 - 1.8))
    return add_cracks(surface, n, s, 1.2)


def rock(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint broken rock: tilted facets with wandering outlines, ledges, cracks; wear brings lichen and moss."""
    size = s.scale
    layered, facets = between(2 * (z[0] - 0.3), 0, 1), between(z[1], 0.15, 1.0)
    first, second = n.block
    small, fine = n.cell[0], n.field(0, 0)
    ridge = 0.7 - np.abs(n.fractal(0, size, 0.5))
    bump, grit = n.fractal(1, size, between(z[9], 0.4, 0.65)), n.fractal(3, 6, 0.9)
    mass = dome(np.maximum(n.block_edge + bump * 0.015, 0), 0.22) - 0.7
    chip = (dome(np.maximum(n.edge + ridge * 0.03, 0), 0.2) - 0.7) * between(z[10], 0.1, 0.6)
    lean = n.tilt(size)
    bend = n.channel("broad streak x") * 0.13 + n.channel("slow 0") * 0.2 + first * 0.25
    ledge, thin_ledge = sawtooth(n.y * 2 + bend), sawtooth(n.y * 4 + bend * 1.6)
    strata = (ledge * 0.8 + thin_ledge * 0.4 - 0.6) * layered
    open_ = smoothstep(-1.2, 0.8, n.slow(1, 3, 32) + between(z[2], -0.9, 1.2))
    crack = smoothstep(2.5, 0.3, n.crack + grit * 0.4) * open_
    height = (mass * 0.9 + chip + ridge * 0.25 + bump * 0.22) * (1 - 0.5 * layered) + lean * facets * 0.5 + strata
    height = height + first * 0.3 + small * 0.1 + n.channel("slow 0") * 0.2 + grit * 0.03 - crack * 0.4
    other = s.colour(between(z[3], -0.05, 0.05), between(z[4], 0.3, 1.8), between(z[5], -0.14, 0.14))
    colour = mix(s.colour(), other, smoothstep(-1.2, 1.4, n.slow(1, 2) + strata + second * 0.6))
    colour = colour * (1 + np.clip(height, -1.5, 1.5) * 0.13 + grit * 0.06 + fine * 0.05 + first * (0.1 * facets))
    colour = colour * (1 - 0.55 * crack)
    surface = PaintedSurface(
        colour,
        (height - 0.1) * (0.13 * size) + fine * 0.1,
        s.roughness + crack * 0.1 - ridge * 0.03,
    )
    lichen = smoothstep(0.95, 1.2, n.fractal(2, 20, 0.8) * 0.6 + n.channel("slow 0") * 0.3 + 1.6 * s.wear - 0.8)
    spots = hsl(between(z[6], 0.09, 0.2), between(z[7], 0.05, 0.3), between(z[8], 0.4, 0.65))
    surface = add_stains(surface, n, s, 0.45 * s.wear, surface.colour * 0.55, 0)
    surface = surface.overlay(lichen * 0.6, spots * (1 + n.field(1, 1) * 0.1), 0.95)
    return add_moss(surface, n, s, z[11], np.maximum(crack, smoothstep(0.3, -0.8, height)))


def sawtooth(turns: FloatArray) -> FloatArray:
    """Return a wave in [0, 1] that rises steeply at whole turns, then falls slowly."""
    part = turns - np.floor(turns)
    return smoothstep(0.0, 0.15, part) * (1 - part) * 1.1


def ground(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint soil: clods and crumbs, half-buried pebbles, straw; wear dries and cracks it."""
    size = s.scale
    clod, crumb, fine = n.fractal(0, size * 0.7, 0.68), n.fractal(1, 10, 0.9), n.field(1, 0)
    slow = n.slow(0, 2, 48, 0.7)
    lump = dome(np.maximum(n.edge + n.field(2, 2) * 0.04 + crumb * 0.02, 0), 0.3)
    lump = lump * smoothstep(-0.6, 0.8, n.cell[1] + slow * 0.4)
    mound = dome(np.maximum(n.block_edge + clod * 0.02, 0), 0.35) * (0.5 + 0.5 * n.block[0])
    height = clod * (0.035 * size) + lump * (0.1 * size * between(z[11], 0.1, 1.2)) + crumb * 0.25 + fine * 0.1
    height = height + slow * (0.06 * size) + mound * (0.12 * size * between(z[14], 0.0, 1.0))
    other = s.colour(between(z[0], -0.02, 0.03), between(z[1], 0.5, 1.3), between(z[2], -0.12, 0.14))
    colour = mix(s.colour(), other, smoothstep(-1.0, 1.3, n.slow(1, 2) - clod * 0.3 + mound * 0.5))
    colour = colour * (1 + clod * 0.06 + crumb * 0.06 + fine * 0.045 + (lump - 0.4) * 0.2 + mound * 0.1)
    surface = PaintedSurface(colour, height, s.roughness - clod * 0.03)
    wet = smoothstep(0.4, 1.4, -slow) * between(z[12], 0.0, 0.6) * (1 - s.wear)
    surface = surface.overlay(wet, surface.colour * 0.6, s.roughness - 0.2)
    pale = smoothstep(-0.5, 1.6, n.slow(1, 3, 40) + 2 * s.wear - 1) * (0.6 * s.wear)
    surface = surface.overlay(pale, s.colour(0.01, 0.55, 0.16) * (1 + crumb * 0.06), s.roughness + 0.05)
    dry = smoothstep(0.4, 0.8, s.wear + slow * 0.12)
    split = smoothstep(2.5, 0.4, n.crack + crumb * 0.4) * dry
    surface = surface.overlay(split * 0.6, surface.colour * 0.45).displace(split * (-0.05 * size))
    first, second = n.cell
    chosen = between(z[3], 1.0, -0.3) - slow * 0.2
    body = (0.25 + second * 0.13 - n.distance * (1 + n.field(0, 3) * 0.2 + n.field(2, 2) * 0.1)) * size
    body = body * smoothstep(-0.02, 0.02, first - chosen)
    stone = hsl(between(z[4], 0.04, 0.11), between(z[5], 0.02, 0.14), between(z[6], 0.3, 0.55))
    stone = stone * (1 + second * 0.25 + crumb * 0.06 + fine * 0.05)
    buried = body - np.maximum(n.field(1, 3), 0) * (0.05 * size)
    cover = smoothstep(0.0, 1.2, buried)
    surface = surface.overlay(cover, mix(surface.colour, stone, between(z[13], 0.4, 1.0)), s.roughness - 0.1)
    surface = surface.displace(dome(np.maximum(buried, 0), 0.2 * size) * (0.11 * size))
    return add_litter(surface, n, z)


def add_litter(surface: PaintedSurface, n: NoiseFields, z: FloatArray) -> PaintedSurface:
    """Add twigs, straw and needles: the strands that a patch of ground keeps."""
    dry = hsl(between(z[7], 0.07, 0.15), between(z[8], 0.15, 0.45), between(z[9], 0.25, 0.6))
    height, value = n.strand
    kept = smoothstep(0.0, 0.1, value + n.slow(0, 2, 32) * 0.25 - between(z[10], 0.35, 1.4))
    cover = smoothstep(0.5, 0.7, height) * kept * smoothstep(1.3, 0.9, between(z[10], 0.35, 1.4))
    surface = surface.overlay(cover, dry * (0.75 + 0.3 * (height - 0.5) + value * 0.15), 0.85)
    return surface.displace(cover * (0.5 + height * 0.6))


def gravel(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint broken stones and pebbles of varied greys: cells for large ones, blobs of noise for two smaller sizes."""
    size = s.scale
    grit, fine = n.fractal(1, 4, 0.9), n.field(1, 0)
    inside = n.edge * size - size * between(z[0], 0.03, 0.09) + n.fractal(0, size / 3, 0.5) * (0.014 * size)
    lean = n.tilt(size)
    first, second = n.cell
    sunk = smoothstep(between(z[1], -1.4, -0.3), 0.8, second + n.channel("slow 0") * 0.2)
    facets = between(z[3], 0.1, 1.0)
    round_ = dome(inside, size * between(z[2], 0.12, 0.4))
    large = round_ * (0.1 + 0.8 * sunk + (lean * 0.9 - np.abs(lean + first * 0.2) * 0.9 + 0.2) * facets)
    pebble = n.field(3, 2) + n.field(2, 1) * 0.12 - 0.1
    crumb = n.field(2, 1) + n.field(0, 2) * 0.3 - 0.4
    middle, little = dome(np.maximum(pebble, 0), 1.3), dome(np.maximum(crumb, 0), 1.4)
    below = np.maximum(middle * 0.34, little * 0.2)
    over = smoothstep(-0.02, 0.05, large - below)
    other = s.colour(between(z[5], -0.04, 0.04), between(z[6], 0.2, 1.6), between(z[7], -0.2, 0.2))
    spread = between(z[4], 0.12, 0.36)
    bed = s.colour(0.0, 1.2, -0.4 * s.lightness) * (1 + grit * 0.18)
    small = mix(s.colour(), other, smoothstep(-0.6, 0.8, n.field(0, 3))) * (
        1 + n.field(1, 3) * spread * 0.6 + fine * 0.05
    )
    cover = smoothstep(0.0, 0.25, np.maximum(pebble, crumb - 0.1))
    under = mix(bed, small * (0.4 + 0.65 * np.maximum(middle, little)), cover)
    colour = mix(s.colour(), other, smoothstep(-0.3, 0.5, second + n.channel("slow 1") * 0.15))
    colour = colour * (1 + first * spread + grit * 0.06 + fine * 0.03 + np.clip(lean, -1, 1) * 0.1)
    height = np.maximum(large, below) - 0.45
    surface = PaintedSurface(
        mix(under, colour * (0.5 + 0.55 * smoothstep(0.0, 0.7, round_)), over),
        height * (0.18 * size) + grit * 0.1 + n.channel("slow 0") * (0.03 * size),
        s.roughness - over * first * 0.08 + 0.03,
    )
    dust = smoothstep(0.3, 1.2, n.slow(1, 2, 32) * 0.5 - height + (s.wear - 0.5)) * min(0.1 + s.wear, 0.85)
    soil = hsl(*SOIL) * (1 + grit * 0.15)
    return surface.overlay(dust, soil, 0.95).displace(dust * (0.04 * size))


def sand(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint wind ripples over soft dunes, with grains of several colours; wear leaves dents and damp stains."""
    size = s.scale
    slow, fine = n.slow(0, 0, 64, 0.7), n.field(1, 0)
    bend = n.channel("slow 0") * 1.2 + n.field(1, 4) * 0.7 + n.field(3, 3) * 0.15
    turn = n.y * (2 * np.pi) + bend
    strength = smoothstep(-1.8, 0.6, n.slow(1, 2, 48, 0.7) + between(z[0], -2.0, 2.6))
    ripple = np.sin(turn + np.sin(turn) * 0.45) * strength
    lumps = n.fractal(3, 16, 0.75)
    height = (
        ripple * (0.06 * size)
        + n.channel("slow 0") * (0.06 * size)
        + n.field(0, 4) * (0.03 * size)
        + lumps * between(z[1], 0.05, 0.35)
    )
    dent = smoothstep(0.4, 1.6, np.abs(n.fractal(2, 24, 0.6)) + (s.wear - 0.6)) * s.wear
    height = height - dent * (0.05 * size) + fine * 0.22
    other = s.colour(between(z[2], -0.03, 0.03), between(z[3], 0.5, 1.3), between(z[4], -0.08, 0.08))
    colour = mix(s.colour(), other, smoothstep(-1.2, 1.2, slow * 0.5 + ripple * 0.5))
    dark, light = smoothstep(1.5, 2.4, n.field(0, 0)), smoothstep(1.6, 2.5, fine)
    colour = colour * (1 + fine * 0.05 + ripple * 0.035 + n.field(0, 1) * 0.025)
    colour = colour * (1 - dark * between(z[5], 0.05, 0.5) + light * between(z[6], 0.05, 0.25))
    surface = PaintedSurface(colour, height, s.roughness + dark * 0.03)
    surface = add_stains(surface, n, s, 0.4 * s.wear, surface.colour * 0.62, 3)
    grit = smoothstep(between(z[7], 2.2, 3.2), 3.4, n.field(3, 1)) * 0.8
    return surface.overlay(grit, s.colour(0.02, 0.5, -0.2), 0.8).displace(grit * 1.2)
