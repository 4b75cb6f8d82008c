"""Painters of metals: bare and brushed, painted, rusted."""

from __future__ import annotations

import numpy as np

from .noise_fields import NoiseFields
from .operations import FloatArray, between, contours, dome, hsl, mix, smoothstep
from .surface import MaterialSliders, PaintedSurface

RUST_DARK, RUST_LIGHT = (0.035, 0.45, 0.16), (0.065, 0.6, 0.36)


def scratches(n: NoiseFields, amount: float) -> FloatArray:
    """Return the cover in [0, 1] of thin straight lines; an amount from 0 to 1 sets their number."""
    strength = n.channel("scratch")
    return smoothstep(1.05 - 1.6 * amount, 1.25 - 1.6 * amount, strength) * min(4 * amount, 1)


def rust_colour(n: NoiseFields, tone: float) -> FloatArray:
    """Return spotted rust, from dark oxide to orange: (3, h, w) sRGB."""
    blot = n.fractal(1, 24, 0.85) + n.field(0, 0) * 0.35 + tone
    return mix(hsl(*RUST_DARK), hsl(*RUST_LIGHT), smoothstep(-1.3, 2.0, blot)) * (1 + n.field(0, 1) * 0.1)


def brushed_metal(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint bare metal with long fine streaks along x; wear scratches and smudges it and spots it with rust."""
    line = n.channel("streak x") * 0.75 + n.channel("broad streak x") * 0.5
    strength = between(z[0], 0.25, 1.0)
    cloud = n.slow(0, 2, 64)
    scratch = scratches(n, s.wear)
    smudge = smoothstep(0.2, 1.8, n.slow(1, 3, 40) + (1.5 * s.wear - 0.6)) * (0.15 + 0.85 * s.wear)
    colour = s.colour() * (1 + line * (0.05 * strength) + cloud * between(z[1], 0.005, 0.03))
    colour = colour * (1 + scratch * 0.15) * (1 - smudge * 0.1)
    surface = PaintedSurface(
        colour,
        line * (0.16 * strength) - scratch * 0.6 + cloud * 0.3,
        s.roughness + line * (0.05 * strength) + smudge * 0.14 - scratch * 0.05,
        1.0,
    )
    plates = between(3 * (z[2] - 1.0), 0, 1)
    seam = smoothstep(1.8, 0.6, n.border(s)) * plates
    surface = surface.overlay(seam * 0.8, surface.colour * 0.3, 0.7).displace(seam * (-2.5))
    spots = smoothstep(2.3, 2.9, n.fractal(3, 10, 0.9) + n.channel("slow 0") * 0.6 + (2.6 * s.wear - 2.4))
    return surface.overlay(spots * 0.9, rust_colour(n, 0.0), 0.85, 0.0).displace(spots * 0.5)


def painted_metal(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint painted sheet metal, flat, in riveted panels or corrugated; wear chips the paint down to metal and rust."""
    size = s.scale
    panels, corrugated = between(3 * (z[0] + 0.2), 0, 1), between(4 * (z[1] - 0.5), 0, 1)
    inside = n.border(s, 0.03)
    seam = smoothstep(2.2, 0.8, inside) * panels
    lip = (smoothstep(5.5, 3.5, inside)) * panels
    rivet = rivets(s, n) * (panels * between(4 * z[2], 0, 1))
    wave = 2 * smoothstep(-0.6, 0.6, np.cos(n.x * (6 * np.pi))) - 1  # three flat ridges in a column
    peel, fine = n.fractal(1, 7, 0.6), n.field(0, 0)
    cloud = n.slow(1, 2, 64)
    height = peel * between(z[3], 0.01, 0.07) + cloud * 0.25 + n.unit[0] * (0.6 * panels)
    height = height - seam * (0.03 * size + 1) - lip * 0.5 + rivet * (0.045 * size)
    height = height + wave * (corrugated * 0.05 * size * min(s.aspect, 1.5))
    colour = s.colour() * (1 + cloud * 0.03 + fine * 0.01 + n.unit[1] * (0.05 * panels))
    second = s.colour(between(z[13], -0.2, 0.2), between(z[14], 0.2, 1.0), between(z[15], -0.25, 0.35))
    stripe = smoothstep(-0.02, 0.02, n.y + between(z[12], -1.2, 0.1)) * (1 - panels)
    colour = mix(colour, second * (1 + cloud * 0.025), stripe * between(3 * (z[11] - 1.5), 0, 1))
    fade = smoothstep(-0.6, 1.6, n.slow(0, 3, 64)) * (0.3 * s.wear)
    surface = PaintedSurface(colour, height, s.roughness + peel * 0.02 + cloud * 0.03)
    surface = surface.overlay(fade, mix(colour, colour.mean(0, keepdims=True) * 0.5 + 0.35, 0.7), s.roughness + 0.2)
    edge = smoothstep(0.16 * size, 0, inside) * (0.7 * panels) + rivet * 0.6 + np.maximum(wave, 0) * (0.5 * corrugated)
    bare = n.channel("slow 0") * 0.75 + n.fractal(0, 32, 0.7) * 0.6 + edge * 1.1
    bare = bare - (2.6 - 2.7 * s.wear)
    scratch = scratches(n, s.wear * 0.8)
    runs = n.channel("broad streak y") * 0.6 + n.channel("streak y") * 0.25 + bare + 0.9
    runs = smoothstep(0.2, 1.6, runs) * (0.7 * s.wear)
    surface = surface.overlay(runs, rust_colour(n, 0.3) * 0.55 + surface.colour * 0.45, s.roughness + 0.15)
    surface = surface.overlay(scratch * 0.6, surface.colour * 0.5 + 0.3, s.roughness + 0.1)
    chipped, rusty = smoothstep(-0.06, 0.06, bare), smoothstep(0.08, 0.35, bare + between(z[4], -0.3, 0.4))
    steel = hsl(0.58, 0.04, 0.48) * (1 + fine * 0.06)
    surface = surface.overlay(chipped, steel, 0.45, 1.0).displace(chipped * (-0.9))
    rust = rusty * chipped
    return surface.overlay(rust, rust_colour(n, 0.0), 0.88, 0.0).displace(rust * (n.fractal(1, 8, 0.9) * 0.4 + 0.4))


def rivets(s: MaterialSliders, n: NoiseFields) -> FloatArray:
    """Return a dome in [0, 1] for a rivet near each corner of the panels."""
    inset = 0.12
    across = n.across - inset
    along = (0.5 - inset) - np.abs(n.y)
    return dome((0.045 * s.scale) - np.hypot(across, along) * s.scale, 0.045 * s.scale)


def rusted_metal(s: MaterialSliders, z: FloatArray, n: NoiseFields) -> PaintedSurface:
    """Paint rust of the main colour, scaly and pitted, with darker oxide and remains of the bare metal."""
    fine, pit = n.field(0, 0), n.fractal(1, 8, 0.9)
    blot = n.slow(0, 2, 40, 0.5) + n.fractal(0, 6, 0.9) * 0.2
    dark = s.colour(between(z[0], -0.03, 0.01), between(z[1], 0.4, 0.9), between(z[2], -0.2, -0.08))
    light = s.colour(between(z[3], 0.0, 0.035), between(z[4], 0.9, 1.4), between(z[5], 0.05, 0.2))
    tone = n.slow(1, 1, 32, 0.4) + fine * 0.3
    colour = mix(s.colour(), dark, smoothstep(0.1, 1.5, blot)) * (1 + n.field(0, 1) * 0.09 + pit * 0.08)
    colour = mix(colour, light, smoothstep(0.3, 1.8, tone) * between(z[6], 0.3, 1.0))
    runs = smoothstep(0.3, 2.0, n.channel("broad streak y") * 0.8 + n.channel("streak y") * 0.3)
    runs = runs * between(z[7], 0, 0.6)
    colour = mix(colour, dark, runs)
    scale = contours(n.fractal(2, 32, 0.75), 2.0) * 0.5
    height = pit * 0.45 + blot * 0.5 + fine * 0.2 - scale
    surface = PaintedSurface(colour, height, s.roughness + 0.05 + pit * 0.04, 0.0)
    bare = n.slow(1, 3, 48, 0.5) + n.fractal(0, 8, 0.9) * 0.22
    bare = bare - (between(z[8], 0.2, 1.8) + 1.3 * s.wear - 0.5)
    left = smoothstep(-0.08, 0.12, bare)
    steel = hsl(between(z[9], 0.05, 0.65), 0.05, between(z[10], 0.3, 0.6)) * (1 + n.channel("streak x") * 0.05)
    steel = mix(s.colour(0, 0.8, 0.02), steel, smoothstep(0.1, 0.8, bare)) * (1 + pit * 0.06)
    surface = surface.overlay(left, steel, max(s.roughness - 0.3, 0.25), 1.0)
    surface = surface.displace(left * ((-0.7) - height * 0.7))
    holes = smoothstep(1.5, 2.2, n.fractal(3, 7, 0.9) + (0.6 * s.wear)) * (1 - left)
    surface = surface.overlay(holes * 0.7, dark * 0.6).displace(holes * (-1.4))
    panels = between(3 * (z[11] - 0.7), 0, 1)
    seam = smoothstep(2.2, 0.6, n.border(s)) * panels
    return surface.overlay(seam * 0.8, dark * 0.4, 0.9).displace(seam * (-3))
