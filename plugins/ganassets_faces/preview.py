"""Contact sheet of heads from three sides, rendered by Mitsuba.

Mitsuba traces rays on the processor alone: the same picture on a laptop, a server without a display and a machine
without any OpenGL library, where the usual renderers refuse to start or crash.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError
from ganassets.api.rendering import render

if TYPE_CHECKING:
    from types import ModuleType

    from ganassets.api.assets import ByteArray, FloatArray, IntArray

KERNEL_CACHE = "DRJIT_CACHE_DIR"  # environment variable of Mitsuba's compiler
MAX_HEADS = 16
COLUMNS = 6  # pictures in a row of the sheet
AZIMUTHS = (0.0, 40.0, 90.0)  # degrees about the head: front, three-quarter, profile
FIELD_OF_VIEW = 23.9  # degrees, an 85 mm lens on 36 mm film
FILL = 0.94  # share of the cell that the head takes
SAMPLES = 4  # a pixel
BACKGROUND = 0.72  # linear grey
PAPER, INK = (220, 220, 220), (70, 70, 70)  # sRGB; the paper is the background's sRGB value
# Three-point lighting and a weak lamp below the lens, in the camera's frame (X right, Y up, Z towards the
# camera), in units of the head's size: position, half-width of the square lamp, radiance (linear).
LAMPS = {
    "key": ((-2.4, 2.2, 3.6), 1.5, 6.8),
    "fill": ((3.6, 0.3, 3.0), 1.6, 2.6),
    "rim": ((2.4, 2.6, -3.4), 1.6, 3.2),
    "front": ((0.0, -1.5, 4.5), 1.8, 2.2),
}
# Lamps alone are sampled, no reflected rays are followed: on skin that is less noise for the time.
INTEGRATOR = {"type": "direct", "hide_emitters": True, "emitter_samples": 10, "bsdf_samples": 0}
MISSING = (
    "Heads are drawn without soft shadows because the renderer Mitsuba is missing; pip install 'ganassets[preview]' "
    "adds it (not on ARM Linux and ARM Windows)."
)
# On a bare Debian libatomic.so.1 is missing; the package is called libatomic1 there.
UNFIT = "Heads are drawn without soft shadows because the renderer Mitsuba doesn't load here: {}."


def contact_sheet(assets: Sequence[Mesh], cell: int = 256) -> Image.Image:
    """Picture of the first 16 heads, each from the front, in three-quarter view and in profile, with its seed.

    Without the renderer they are drawn more simply, and how to install it is said in the picture and as
    `info["hint"]` of the image.

    Args:
        assets: heads; of those after the 16th the caption only says that they exist.
        cell: pixels of the square that holds one view.

    Returns:
        RGB image, two heads a row.

    Raises:
        InputError: there is no head.
    """
    if not assets:
        raise InputError("a contact sheet needs at least one head; generate some first.")
    shown = assets[:MAX_HEADS]
    try:
        renderer = load_renderer()
    except ImportError as error:
        hint = MISSING if isinstance(error, ModuleNotFoundError) else UNFIT.format(error)
        sheet = arrange([drawn(head, cell) for head in shown], shown, cell, caption(len(assets), hint))
        sheet.info["hint"] = hint
        return sheet
    return arrange([views(renderer, head, cell) for head in shown], shown, cell, caption(len(assets)))


def caption(count: int, hint: str = "") -> str:
    """Text below the sheet: the hint, and that there are more heads where not all are shown."""
    return " ".join(filter(None, [f"The first {MAX_HEADS} heads." if count > MAX_HEADS else "", hint]))


def arrange(rows: Sequence[Sequence[ByteArray]], heads: Sequence[Mesh], cell: int, text: str) -> Image.Image:
    """Sheet of each head's (cell, cell, 3) uint8 pictures with its seed in the corner and the text below."""
    width = len(rows[0]) * cell
    columns = min(COLUMNS // len(rows[0]), len(heads))
    height = -(-len(heads) // columns) * cell
    size = max(11, cell // 20)
    font = ImageFont.load_default(size)
    lines = wrap(text, 2 * columns * width // size - 2)
    sheet = Image.new("RGB", (columns * width, height + len(lines) * 2 * size), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, (pictures, head) in enumerate(zip(rows, heads, strict=True)):
        x, y = i % columns * width, i // columns * cell
        for k, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (x + k * cell, y))
        corner = (x + size // 2, y + size // 3)
        draw.text(corner, str(head.provenance.seed), fill=INK, font=font, stroke_width=size // 6, stroke_fill=PAPER)
    for i, line in enumerate(lines):
        draw.text((size // 2, height + i * 2 * size + size // 3), line, fill=INK, font=font)
    return sheet


def drawn(head: Mesh, cell: int) -> list[ByteArray]:
    """(cell, cell, 3) uint8 sRGB pictures of a head, one an azimuth, made with numpy alone."""
    pictures = []
    for azimuth in AZIMUTHS:
        picture = render(head, cell, azimuth, pitch=0.0).astype(np.float32)
        alpha = picture[..., 3:] / 255
        pictures.append(np.rint(picture[..., :3] * alpha + PAPER[0] * (1 - alpha)).astype(np.uint8))
    return pictures


@contextmanager
def no_kernel_cache() -> Iterator[None]:
    """Keep Mitsuba from making a folder for compiled kernels in the user's home when it loads; the variant has none."""
    given = os.environ.get(KERNEL_CACHE)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ[KERNEL_CACHE] = given or folder
        try:
            yield
        finally:
            os.environ.pop(KERNEL_CACHE)
            os.environ.update({KERNEL_CACHE: given} if given else {})


def load_renderer() -> ModuleType:
    """Mitsuba in its variant that needs neither a GPU nor LLVM.

    Raises:
        ImportError: it can't be loaded; ModuleNotFoundError where it is not installed.
    """
    try:
        with no_kernel_cache():
            import mitsuba
    except NameError as error:  # Dr.Jit raises it while it handles the error that says what is wrong
        raise ImportError(str(error.__context__ or error)) from error

    mitsuba.set_variant("scalar_rgb")
    mitsuba.set_log_level(mitsuba.LogLevel.Error)
    return mitsuba


def views(mi: ModuleType, head: Mesh, cell: int) -> list[ByteArray]:
    """(cell, cell, 3) uint8 sRGB pictures of a head, one an azimuth, all at one distance so that they compare."""
    low, high = head.positions.min(0), head.positions.max(0)
    centre, size = (low + high) / 2, float((high - low).max())
    frames = [camera_frame(np.radians(azimuth)) for azimuth in AZIMUTHS]
    distance = max(fitting_distance((head.positions - centre) @ frame.T) for frame in frames)
    parts = {f"part{i}": mesh_part(mi, head, i) for i in range(len(head.materials))}
    studios = [studio(mi, centre, frame, distance, size) for frame in frames]
    return [picture(mi, {**parts, **furniture}, cell) for furniture in studios]


def camera_frame(azimuth: float) -> FloatArray:
    """(3, 3) rows right, up and back of a camera at that azimuth (radians, 0 looks into the face)."""
    c, s = np.cos(azimuth), np.sin(azimuth)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)


def fitting_distance(points: FloatArray) -> float:
    """Smallest distance in metres at which (v, 3) points in the camera's frame lie inside its view."""
    reach = FILL * np.tan(np.radians(FIELD_OF_VIEW / 2))
    return float((np.abs(points[:, :2]).max(1) / reach + points[:, 2]).max())


def studio(mi: ModuleType, centre: FloatArray, frame: FloatArray, distance: float, size: float) -> dict[str, Any]:
    """The camera at a distance from the centre (metres), as Mitsuba's description, and the lamps that go with it."""

    def at(offset: ArrayLike) -> Any:
        """Transform that stands at an offset in the camera's frame and looks at the centre."""
        origin = centre + np.asarray(offset, np.float32) @ frame
        return mi.ScalarTransform4f().look_at(origin=origin.tolist(), target=centre.tolist(), up=[0, 1, 0])

    # Loaded one by one: loaded with the scene, their order and with it the noise would vary from run to run.
    lamps = {
        name: mi.load_dict(
            {
                "type": "rectangle",
                "to_world": at(np.multiply(position, size)) @ mi.ScalarTransform4f().scale(width * size),
                "emitter": {"type": "area", "radiance": {"type": "rgb", "value": radiance}},
            }
        )
        for name, (position, width, radiance) in LAMPS.items()
    }
    camera = {"type": "perspective", "fov": FIELD_OF_VIEW, "near_clip": 0.01, "to_world": at((0.0, 0.0, distance))}
    return {"camera": camera, **lamps}


def picture(mi: ModuleType, contents: dict[str, Any], cell: int) -> ByteArray:
    """(cell, cell, 3) uint8 sRGB picture of a scene with a camera, lamps and meshes."""
    film = {"type": "hdrfilm", "width": cell, "height": cell, "pixel_format": "rgba"}
    camera = {**contents["camera"], "film": film, "sampler": {"type": "multijitter", "sample_count": SAMPLES}}
    scene = mi.load_dict({"type": "scene", "integrator": INTEGRATOR, **contents, "camera": camera})
    rgba = np.array(mi.render(scene), np.float32)
    # The alpha is premultiplied.
    rgb = mi.Bitmap(rgba[..., :3] + (1 - rgba[..., 3:]) * np.float32(BACKGROUND))
    return np.array(rgb.convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.UInt8, srgb_gamma=True))


@lru_cache(16)
def corners(topology: Topology, material: int) -> tuple[IntArray, IntArray, IntArray]:
    """Vertices of the faces of one material, split where their texture coordinates differ.

    Returns:
        (k,) int32 indices of positions, (k,) int32 indices into uvs, (t, 3) int32 triangles of those k.
    """
    of_material = topology.face_materials == material
    pairs = np.stack([topology.faces[of_material], topology.face_uvs[of_material]], -1).reshape(-1, 2)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    quads = inverse.reshape(-1, 4).astype(np.int32)
    return unique[:, 0], unique[:, 1], np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def mesh_part(mi: ModuleType, head: Mesh, material: int) -> Any:
    """Mitsuba's mesh of the faces of one material."""
    vertices, uvs, triangles = corners(head.topology, material)
    look = mi.Properties()
    look["bsdf"] = mi.load_dict({"type": "twosided", "surface": surface(mi, head.materials[material])})
    mesh = mi.Mesh(
        f"part{material}", len(vertices), len(triangles), look, has_vertex_normals=True, has_vertex_texcoords=True
    )
    values = mi.traverse(mesh)
    values["vertex_positions"] = head.positions[vertices].ravel()
    values["vertex_normals"] = head.normals[vertices].ravel()
    values["vertex_texcoords"] = head.topology.uvs[uvs].ravel()
    values["faces"] = triangles.astype(np.uint32).ravel()
    values.update()
    return mesh


def surface(mi: ModuleType, material: Material) -> dict[str, Any]:
    """Mitsuba's description of a material."""
    colour: Any = {"type": "rgb", "value": list(material.base_colour)}
    if material.albedo is not None:
        linear = mi.Bitmap(np.array(material.albedo)).convert(
            mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32, srgb_gamma=False
        )
        colour = texture(mi, np.array(linear) * np.array(material.base_colour, np.float32))
    roughness: Any = material.roughness
    if material.roughness_map is not None:
        roughness = texture(mi, (material.roughness_map * np.float32(material.roughness / 255))[..., None])
    return {"type": "principled", "base_color": colour, "roughness": roughness, "metallic": material.metallic}


def texture(mi: ModuleType, values: FloatArray) -> dict[str, Any]:
    """Mitsuba's description of (h, w, c) linear values."""
    return {"type": "bitmap", "bitmap": mi.Bitmap(values), "raw": True, "wrap_mode": "clamp"}
