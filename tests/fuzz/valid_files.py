"""Valid inputs of parsers, which fuzzing starts from: images, archives, motion, files that carry a recipe, jobs."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganassets.api.data.labels import LABEL_FILE
from support.motion_files import BvhJoint, GltfFile, bvh_text

SEPARATOR = b"\n=====\n"  # between the parts of an input with several parts
IMAGE_SUFFIXES = (".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".tga")
CARRIER_SUFFIXES = (".png", ".webp", ".glb", ".obj", ".exr", ".mtlx", ".json", ".recipe.json", ".stl", ".tres")

JOBS = b"""[[job]]
model = "textures"
seeds = "1-5"
size = "128x64"
to = "unity"
folder = "materials/walls"
name = "{material}-{seed:05d}"
sliders = { material = { any = ["brick", "rock"] }, wear = { from = 0.2, to = 0.8 }, hue = [0.1, 0.5] }
[[job]]
model = "textures"
count = 3
seed = 7
crop = true
window = 64
title = "second"
sliders = { material = "brick", relief = 0.5 }
options = { size = 512 }
[[job]]
model = "textures"
recipes = ["a.recipe.json"]
"""


def json_lines(*records: object) -> bytes:
    """Encode records as JSON, one a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def small_image(mode: str = "RGB") -> Image.Image:
    """Make an image of 8 x 8 random pixels in a mode of Pillow."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    return Image.fromarray(pixels, "RGBA").convert(mode)


def encode_image(suffix: str, mode: str = "RGB", **options: Any) -> bytes:
    """Encode a small image in the format of a suffix."""
    file = io.BytesIO()
    small_image(mode).save(file, {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper()), **options)
    return file.getvalue()


def image_files() -> list[bytes]:
    """Encode images of many formats and modes; the first byte is the suffix's index in IMAGE_SUFFIXES."""
    exif = Image.Exif()
    exif[274] = 6
    files = [(suffix, encode_image(suffix)) for suffix in IMAGE_SUFFIXES]
    files += [(".png", encode_image(".png", mode)) for mode in ("RGBA", "L", "P", "1", "I;16", "LA")]
    files += [(".tif", encode_image(".tif", "F")), (".tif", encode_image(".tif", compression="tiff_lzw"))]
    files += [
        (".jpg", encode_image(".jpg", "CMYK", exif=exif)),
        (".webp", encode_image(".webp", "RGBA", lossless=True)),
    ]
    return [bytes([IMAGE_SUFFIXES.index(suffix)]) + content for suffix, content in files]


def encode_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Encode files as a zip with a compression method."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def zip_files() -> list[bytes]:
    """Encode archives of images: labels by folder and by file, several compression methods."""
    pair = {"elves/a.png": encode_image(".png"), "orcs/b.jpg": encode_image(".jpg")}
    labels = json_lines({"labels": [["a.png", 0], ["b.png", 1]]})
    labelled = {"a.png": encode_image(".png"), "b.png": encode_image(".png", "L"), LABEL_FILE: labels}
    return [
        encode_zip(pair),
        encode_zip(labelled, zipfile.ZIP_STORED),
        encode_zip(pair, zipfile.ZIP_BZIP2),
        encode_zip(pair, zipfile.ZIP_LZMA),
    ]


def carrier_files(text: str) -> list[bytes]:
    """Encode files as the exporters write them, each with the text of a recipe.

    The first byte is the suffix's index in CARRIER_SUFFIXES.
    """
    latin, utf = PngInfo(), PngInfo()
    latin.add_text("Recipe", text)
    utf.add_itxt("Recipe", text)
    exif = Image.Exif()
    exif[270] = json.dumps({"Recipe": json.loads(text)})
    attribute = b"Recipe\0string\0" + len(text).to_bytes(4, "little") + text.encode() + b"\0"
    quoted = text.replace('"', "&quot;")
    files = {
        ".png": [encode_image(".png", pnginfo=latin), encode_image(".png", pnginfo=utf)],
        ".webp": [encode_image(".webp", exif=exif.tobytes()), encode_image(".gif", comment=exif[270].encode())],
        ".glb": [GltfFile({"asset": {"extras": {"recipe": json.loads(text)}}}).glb()],
        ".obj": [b"# asset\n# recipe " + text.encode() + b"\nv 0 0 0\n", b"ply\ncomment recipe " + text.encode()],
        ".exr": [b"\x76\x2f\x31\x01\x02\0\0\0channels\0chlist\0\x01\0\0\0\0" + attribute + b"\0"],
        ".mtlx": [
            f'<?xml version="1.0"?><materialx doc="Bricks&#10;Recipe: {quoted}"><nodegraph/></materialx>'.encode()
        ],
        ".tres": [b"[resource]\nmetadata/recipe = " + json.dumps(text).encode() + b"\n"],
        ".json": [json_lines({"Recipe": json.loads(text)})],
        ".recipe.json": [text.encode()],
    }
    return [
        bytes([CARRIER_SUFFIXES.index(suffix)]) + content for suffix, contents in files.items() for content in contents
    ]


def bvh_file() -> bytes:
    """Encode two joints that move as BVH."""
    channels = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    joints = [BvhJoint("hip", -1, (0, 1, 0), channels), BvhJoint("knee", 0, (0, -0.5, 0), channels[3:])]
    return bvh_text(joints, np.arange(18.0).reshape(2, 9)).encode()


def gltf_clip() -> GltfFile:
    """Make a glTF file of two joints that move."""
    file = GltfFile()
    file.document["nodes"] = [{"name": "hip", "children": [1], "translation": [0, 1, 0]}, {"name": "knee"}]
    file.bind([0, 1], np.tile(np.eye(4), (2, 1, 1)))
    turns = [[0, 0, 0, 1], [0, 0, 1, 0]]
    file.animate(
        "walk",
        [
            (0, "translation", [0, 0.5], [[0, 1, 0], [0, 1, 1]], "LINEAR"),
            (1, "rotation", [0, 1], turns, "STEP"),
            (1, "scale", [0], np.ones((3, 3)), "CUBICSPLINE"),
        ],
    )
    return file


def gltf_files() -> list[bytes]:
    """Encode the clip as GLB, and as glTF with its binary data beside it and inside it."""
    file = gltf_clip()
    data = base64.b64encode(file.binary).decode()
    return [file.glb(), file.gltf("walk.bin"), file.gltf(f"data:application/octet-stream;base64,{data}")]
