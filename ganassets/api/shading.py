"""Draw a surface material under light, for contact sheets and previews, with numpy.

One light from the upper left and a soft sky; the camera looks along -Z, Y is up. Diffuse reflection is Lambert's.
Specular reflection has the distribution of Trowbridge and Reitz (Walter et al. 2007, "Microfacet Models for Refraction
through Rough Surfaces") with alpha = roughness^2 (Burley 2012, "Physically Based Shading at Disney"), Smith's masking
with correlated heights (Heitz 2014, "Understanding the Masking-Shadowing Function in Microfacet-Based BRDFs") and
Schlick's Fresnel term (1994, "An Inexpensive BRDF Model for Physically-based Rendering"). The reflection of the sky is
Karis' fit (2014, "Physically Based Shading on Mobile"). The lights are balanced so that a flat rough surface has about
the colour of its albedo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

if TYPE_CHECKING:
    from .assets import TextureSet

FloatArray = NDArray[np.floating[Any]]
ByteArray = NDArray[np.uint8]


def _unit(vector: FloatArray) -> FloatArray:
    """Scale a vector to length 1."""
    return vector / np.linalg.norm(vector)


# Colours are linear RGB. The sun and the sky together make a flat white surface 1 bright.
AMBIENT = 0.36  # the sky's part of that
SUN = _unit(np.array([-0.46, 0.55, 0.70], np.float32))
HALFWAY = _unit(SUN + np.array([0, 0, 1], np.float32))  # halfway vector between sun and camera
SUNLIGHT = np.array([1.04, 1.0, 0.94], np.float32) * ((1 - AMBIENT) / SUN[2])
SKY = np.array([0.92, 1.02, 1.16], np.float32)
GROUND = np.array([0.30, 0.27, 0.23], np.float32)
HORIZON = 0.12  # width of the transition between them in a perfect mirror
BACKGROUND = 0.2
DIELECTRIC = 0.04  # reflectance of most non-metals, seen straight on
SHARPEST = 0.12  # least roughness; the sun is a point, so its reflection in a mirror would be one too
SHOULDER = 0.75  # linear value at which the tone curve starts to bend

SPHERE_RADIUS = 0.46  # in picture sizes
SUPERSAMPLING = 2  # samples of a pixel along both axes
SRGB_STEPS = 4096


@dataclass(frozen=True)
class ShadedMaps:
    """Maps of a material over the points of a picture, of any shape (...).

    Attributes:
        base: (..., 3) linear colour.
        normal: (..., 3) to the right, up and out of the surface, of any length.
        roughness: (..., 1).
        metallic: (..., 1).
        occlusion: (..., 1).
    """

    base: FloatArray
    normal: FloatArray
    roughness: FloatArray
    metallic: FloatArray
    occlusion: FloatArray

    def at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> ShadedMaps:
        """Select the values at places of an (h, w) picture."""
        return ShadedMaps(**{name: values[rows, columns] for name, values in vars(self).items()})


def shade_plane(material: TextureSet, size: int, repeat: float = 2) -> ByteArray:
    """Draw the flat material, seen from above.

    Args:
        material: Material of any size; one that isn't square is repeated more often along its shorter side.
        size: Pixels of the square picture.
        repeat: Number of times that its longer side fits into the picture.

    Returns:
        (size, size, 3) uint8 sRGB.

    Raises:
        InputError: Size or repeat is not above 0.

    >>> from ganassets.api.assets import TextureSet
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> shade_plane(wall, size=64, repeat=1).shape
    (64, 64, 3)
    """
    surface = average_maps(material, size, repeat)
    return linear_to_bytes(shade(surface, surface.normal))


def shade_sphere(material: TextureSet, size: int, repeat: float = 2) -> ByteArray:
    """Draw a sphere of the material before a grey background.

    The texture is projected from the middle (azimuthal equidistant projection): undistorted there, squeezed along the
    edge.

    Args:
        material: Material of any size; one that isn't square is repeated more often along its shorter side.
        size: Pixels of the square picture.
        repeat: Number of times that its longer side fits from edge to edge, along the sphere.

    Returns:
        (size, size, 3) uint8 sRGB.

    Raises:
        InputError: Size or repeat is not above 0.

    >>> from ganassets.api.assets import TextureSet
    >>> flat, grey = np.zeros((4, 8), np.float32), np.full((4, 8, 3), 0.5, np.float32)
    >>> up = np.full((4, 8, 3), [0, 0, 1], np.float32)
    >>> wall = TextureSet("wall", grey, flat, up, flat + 1, flat, flat + 1, texel_size=0.25)
    >>> shade_sphere(wall, size=64, repeat=1).shape
    (64, 64, 3)
    """
    light, covered = lit_sphere(material, size, repeat)
    return linear_to_bytes(light + (1 - covered) * BACKGROUND)


def sphere_cut_out(material: TextureSet, size: int, repeat: float = 2, samples: int = SUPERSAMPLING) -> ByteArray:
    """Draw the sphere of shade_sphere alone.

    Args:
        material: Material of any size.
        size: Pixels of the square picture.
        repeat: Number of times that the longer side of the material fits from edge to edge, along the sphere.
        samples: Samples of a pixel along both axes. One takes a quarter of the time of two, but fine relief sparkles.

    Returns:
        (size, size, 4) uint8 sRGB with alpha, transparent around the sphere.
    """
    return cut_out(*lit_sphere(material, size, repeat, samples))


def lit_sphere(
    material: TextureSet, size: int, repeat: float, samples: int = SUPERSAMPLING
) -> tuple[FloatArray, FloatArray]:
    """Light the sphere of sphere_cut_out.

    Returns:
        (size, size, 3) linear light that it sends to each pixel, and (size, size, 1) share of the pixel that it covers.
    """
    n = samples * size
    arc = round(np.pi * SPHERE_RADIUS * n)  # pixels from edge to edge along the sphere
    surface = average_maps(material, arc, repeat)

    places = ((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5) / SPHERE_RADIUS
    x, y = np.broadcast_to(places, (n, n)), np.broadcast_to(-places[:, None], (n, n))
    coverage = np.clip((1 - np.hypot(x, y)) * (SPHERE_RADIUS * n) + 0.5, 0, 1)
    inside = coverage > 0
    x, y, coverage = x[inside], y[inside], coverage[inside][:, None]
    beyond = np.maximum(np.hypot(x, y), 1)  # half a pixel of the edge's
    x, y = x / beyond, y / beyond
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0))

    # An angle is as long on the flat texture as on the sphere, where it is drawn as its sine.
    stretch = np.arccos(z) / np.maximum(np.hypot(x, y), 1e-6) / (np.pi / 2)
    columns = ((1 + x * stretch) * (arc / 2)).astype(np.int64) % arc
    rows = ((1 - y * stretch) * (arc / 2)).astype(np.int64) % arc
    here = surface.at(rows, columns)
    lit = shade(here, rotate_z_to(here.normal, x, y, z))

    picture = np.zeros((n, n, 4), np.float32)
    picture[inside] = np.concatenate([coverage * lit, coverage], 1)
    picture = picture.reshape(size, samples, size, samples, 4).mean((1, 3))
    return picture[..., :3], picture[..., 3:]


def rotate_z_to(vectors: FloatArray, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Rotate (n, 3) vectors by the smallest rotation that takes the Z axis to the unit vectors (x, y, z), z >= 0."""
    a, b, c = vectors.T
    tilt = (a * x + b * y) / (1 + z)
    return np.stack([a + x * (c - tilt), b + y * (c - tilt), c * z - a * x - b * y], -1)


def average_maps(material: TextureSet, size: int, repeat: float) -> ShadedMaps:
    """Average the maps over the (size, size) pixels of a square that shows the material's longer side `repeat` times.

    Raises:
        InputError: Size or repeat is not above 0.
    """
    if size < 1 or repeat <= 0:
        raise InputError("a picture needs a size and a repeat above 0.")
    length = max(material.height.shape) * repeat
    block = largest_block(material.height.shape, length / size)
    base = _LINEAR[(material.albedo * (SRGB_STEPS - 1) + 0.5).astype(np.uint16)]
    maps = (material.roughness, material.metallic, material.occlusion)

    def resampled(values: FloatArray) -> FloatArray:
        rows = area_average(block_average(values, block), size, length / block)
        return area_average(rows.swapaxes(0, 1), size, length / block).swapaxes(0, 1)

    return ShadedMaps(resampled(base), resampled(material.normal), *(resampled(values[..., None]) for values in maps))


def largest_block(shape: tuple[int, ...], limit: float) -> int:
    """Return the side of the largest square block, at most `limit`, that divides both sides of the maps."""
    common = math.gcd(*shape)
    return max(side for side in range(1, max(1, int(limit)) + 1) if common % side == 0)


def block_average(values: FloatArray, side: int) -> FloatArray:
    """Average (h, w, c) values over square blocks: (h / side, w / side, c); quick, for much too fine maps."""
    h, w, c = values.shape
    return values.reshape(h // side, side, w, c).mean(1).reshape(-1, w // side, side, c).mean(2)


def area_average(values: FloatArray, count: int, length: float) -> FloatArray:
    """Average (n, ...) values over `count` equal parts of their first `length` rows; rows repeat from the start.

    A part may start and end within a row; the share of the row that lies in the part counts.
    """
    sums = np.zeros((len(values) + 1, *values.shape[1:]), np.float32)
    np.cumsum(values, 0, out=sums[1:])
    turns, within = np.divmod(np.arange(count + 1) * (length / count), len(values))
    row = within.astype(np.int64)

    def column(numbers: NDArray[Any]) -> FloatArray:
        return numbers.astype(np.float32).reshape(-1, *(1,) * (values.ndim - 1))

    up_to = sums[row] + column(within - row) * values[row]
    return (np.diff(up_to, axis=0) + column(np.diff(turns)) * sums[-1]) / np.float32(length / count)


def shade(surface: ShadedMaps, normal: FloatArray) -> FloatArray:
    """Return the linear colours (..., 3) in [0, 1] of a surface with normals (..., 3) in the axes of the picture."""
    n = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    facing, view = np.maximum(n @ SUN[:, None], 0), np.clip(n[..., 2:], 1e-3, 1)
    roughness = np.maximum(surface.roughness, SHARPEST)
    reflectance = DIELECTRIC + (surface.base - DIELECTRIC) * surface.metallic
    diffuse = surface.base * (1 - surface.metallic)

    mirrored = 2 * n[..., 2:] * n - np.array([0, 0, 1], np.float32)
    sky = diffuse * sky_light(n) + sky_reflectance(reflectance, roughness, view) * sky_colour(mirrored, roughness)
    sun = diffuse + microfacets(n, roughness, reflectance, facing, view)
    return tone_curve(SUNLIGHT * facing * sun + surface.occlusion * sky)


def sky_light(n: FloatArray) -> FloatArray:
    """Return the light (..., 3) of the sky on surfaces with normals (..., 3); AMBIENT on one that faces the camera."""
    share = 0.5 + 0.5 * n[..., 1:2]
    return (GROUND + (SKY - GROUND) * share) * (2 * AMBIENT / (SKY + GROUND).mean())


def sky_colour(direction: FloatArray, roughness: FloatArray) -> FloatArray:
    """Return the brightness (..., 3) of sky and ground in directions, blurred as the roughness reflects them."""
    share = 0.5 + 0.5 * np.tanh(direction[..., 1:2] / (HORIZON + roughness))
    return GROUND + (SKY - GROUND) * share


def sky_reflectance(reflectance: FloatArray, roughness: FloatArray, view: FloatArray) -> FloatArray:
    """Return the share (..., 3) of an even sky that is reflected (Karis' fit)."""
    smooth = 1 - roughness
    grazing = np.minimum(smooth**2, np.exp2(-9.28 * view)) * smooth + 0.0425 - 0.0275 * roughness
    scale = 1.04 - 0.572 * roughness - 1.04 * grazing
    return reflectance * scale + np.maximum(1.04 * grazing + 0.022 * roughness - 0.04, 0)


def microfacets(
    n: FloatArray, roughness: FloatArray, reflectance: FloatArray, facing: FloatArray, view: FloatArray
) -> FloatArray:
    """Return the specular reflection (..., 3) of the sun; 1 is the reflection of a white diffuse surface."""
    alpha2 = roughness**4
    spread = (n @ HALFWAY[:, None]) ** 2 * (alpha2 - 1) + 1
    masking = facing * np.sqrt(view**2 * (1 - alpha2) + alpha2) + view * np.sqrt(facing**2 * (1 - alpha2) + alpha2)
    fresnel = reflectance + (1 - reflectance) * (1 - HALFWAY[2]) ** 5
    return fresnel * (alpha2 / spread**2 / (2 * masking))


def tone_curve(linear: FloatArray) -> FloatArray:
    """Compress linear values of [0, inf) to [0, 1]: unchanged up to SHOULDER, then less and less."""
    rest = 1 - SHOULDER
    return np.where(linear < SHOULDER, linear, 1 - rest * np.exp((SHOULDER - linear) / rest))


def srgb_to_linear(srgb: NDArray[Any]) -> NDArray[Any]:
    """Convert sRGB values in [0, 1] to linear ones (IEC 61966-2-1).

    >>> srgb_to_linear(np.array([0.0, 0.5, 1.0])).round(3).tolist()
    [0.0, 0.214, 1.0]
    """
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: NDArray[Any]) -> NDArray[Any]:
    """Convert linear values in [0, 1] to sRGB ones (IEC 61966-2-1).

    >>> linear_to_srgb(np.array([0.0, 0.214, 1.0])).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def linear_to_bytes(linear: FloatArray) -> ByteArray:
    """Convert linear values in [0, 1] to uint8 sRGB."""
    return np.rint(linear_to_srgb(linear) * 255).astype(np.uint8)


def cut_out(light: FloatArray, covered: FloatArray) -> ByteArray:
    """Encode the linear light (h, w, 3) of something that covers a share (h, w, 1) of each pixel.

    Returns:
        (h, w, 4) uint8 sRGB with alpha, which is not multiplied into the colours.
    """
    colour = linear_to_bytes(np.clip(light / np.maximum(covered, 1e-6), 0, 1))
    return np.concatenate([colour, np.rint(covered * 255).astype(np.uint8)], -1)


_LINEAR = srgb_to_linear(np.linspace(0, 1, SRGB_STEPS)).astype(np.float32)
