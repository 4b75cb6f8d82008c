"""Image files of materials are read back with pypng, Pillow and OpenEXR and compared with the material."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganassets.api.assets import TextureSet
from ganassets.api.engines import ENGINES
from ganassets.api.errors import InputError
from ganassets.api.images.texture_maps import CHANNELS
from ganassets.api.provenance import Provenance
from ganassets_images import BLENDER, EXPORTER, GODOT, UNITY, UNREAL
from support.png_files import read_png, read_text
from support.texture_sets import make_bricks, plain, random_texture_sets

DEFAULTS = {option.name: option.default for option in EXPORTER.options}
EXPORTERS = {"gltf": EXPORTER, "blender": BLENDER, "godot": GODOT, "unity": UNITY, "unreal": UNREAL}
ENGINE_NAMES = list(ENGINES)
# Content of each engine's files; plus or minus is the sign of the normal's green channel.
EXPECTED = {
    "gltf": {"{}_baseColor": "albedo", "{}_normal": "+", "{}_orm": "orm", "{}_height": "height"},
    "blender": {
        "{}_albedo": "albedo", "{}_normal": "+", "{}_roughness": "roughness", "{}_metallic": "metallic",
        "{}_ao": "occlusion", "{}_height": "height",
    },
    "unity": {"{}_BaseMap": "albedo", "{}_Normal": "+", "{}_MaskMap": "mask", "{}_Height": "height"},
    "unreal": {"T_{}_BC": "albedo", "T_{}_N": "-", "T_{}_ORM": "orm", "T_{}_H": "height"},
    "godot": {"{}_albedo": "albedo", "{}_normal": "+", "{}_orm": "orm", "{}_height": "height"},
}  # fmt: skip


def encode(asset: TextureSet, engine: str = "gltf", **options: object) -> dict[str, bytes]:
    """Export the image files of an asset."""
    files = EXPORTERS[engine].export(asset, DEFAULTS | options)
    return {name: content for name, content in files.items() if not name.endswith(".tres")}


def expected_maps(asset: TextureSet) -> dict[str, np.ndarray]:
    """Compute the (h, w, c) values in [0, 1] of each content that EXPECTED names."""
    low, high = asset.height.min(), asset.height.max()
    height = (asset.height - low) / (high - low) if high > low else np.zeros_like(asset.height)
    half = np.full_like(height, 0.5)
    normal = asset.normal.astype(float)
    return {
        "albedo": asset.albedo,
        "+": normal / 2 + 0.5,
        "-": normal * [1, -1, 1] / 2 + 0.5,
        "orm": np.stack([asset.occlusion, asset.roughness, asset.metallic], -1),
        "mask": np.stack([asset.metallic, asset.occlusion, half, 1 - asset.roughness], -1),
        **{name: getattr(asset, name)[..., None] for name in ("roughness", "metallic", "occlusion")},
        "height": height[..., None],
    }


def chunks(content: bytes) -> dict[bytes, list[bytes]]:
    """Data of a PNG's chunks by kind; pypng checks their checksums."""
    found: dict[bytes, list[bytes]] = {}
    for kind, data in png.Reader(bytes=content).chunks():
        found.setdefault(kind, []).append(data)
    return found


@given(random_texture_sets(), st.sampled_from(ENGINE_NAMES), st.sampled_from(["8", "16"]))
def test_every_map_comes_back(asset: TextureSet, engine: str, depth: str) -> None:
    files = encode(asset, engine=engine, depth=depth)
    assert list(files) == [f"{name.format(asset.name)}.png" for name in EXPECTED[engine]]
    maps = expected_maps(asset)
    for content, what in zip(files.values(), EXPECTED[engine].values(), strict=True):
        most = 65535 if depth == "16" or what == "height" else 255
        pixels = read_png(content)
        assert chunks(content)[b"IHDR"][0][8] == (16 if most == 65535 else 8)
        assert pixels.shape == maps[what].shape
        # Half a step, and the rounding error of 32-bit floats.
        assert abs(pixels / most - maps[what]).max() <= 0.5 / most + 1e-6
        eight = np.asarray(Image.open(io.BytesIO(content)))
        if most == 255:
            assert np.array_equal(eight.reshape(pixels.shape), pixels)
        elif pixels.shape[-1] == 1:
            assert np.array_equal(eight, pixels[..., 0]), "Pillow reads 16 bits of grey"
        else:
            assert np.array_equal(eight, pixels >> 8)


def test_every_engine_has_an_exporter() -> None:
    assert set(EXPORTERS) == set(ENGINES)
    for engine in ENGINES.values():
        assert {name for file in engine.textures for name in file.channels} <= set(CHANNELS)


@pytest.mark.parametrize(("depth", "middle", "most"), [("8", 128, 255), ("16", 32768, 65535)])
@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_flat_is_the_usual_blue(engine: str, depth: str, middle: int, most: int) -> None:
    normal = list(encode(plain(), engine=engine, depth=depth).values())[1]
    assert (read_png(normal) == [middle, middle, most]).all()


def test_green_points_up_or_down() -> None:
    # A surface that faces up, against the rows of its texture.
    up = replace(plain(), normal=np.broadcast_to(np.array([0, 0.6, 0.8], np.float32), (8, 8, 3)))
    greens = {engine: read_png(list(encode(up, engine=engine).values())[1])[0, 0, 1] for engine in ENGINES}
    assert greens == {"gltf": 204, "blender": 204, "unity": 204, "unreal": 51, "godot": 204}


def test_only_colours_are_marked_srgb() -> None:
    for engine in ENGINES:
        said = [b"sRGB" in chunks(content) for content in encode(make_bricks(16), engine=engine).values()]
        assert said == [True] + [False] * (len(said) - 1)
    for content in encode(make_bricks(16)).values():
        assert not {b"gAMA", b"cHRM", b"iCCP"} & chunks(content).keys()


def test_density_is_the_texel_size() -> None:
    for size, per_metre in ((0.001, 1000), (0.3, 3), (5.0, 1), (1e-12, 2**31 - 1), (5e-324, 2**31 - 1)):
        (density,) = chunks(encode(replace(plain(), texel_size=size))["plain_normal.png"])[b"pHYs"]
        assert struct.unpack(">IIB", density) == (per_metre, per_metre, 1)


def test_files_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganassets_images.export.PREVIEW_SIZE", 16)
    bricks = make_bricks(32)
    for name, content in encode(bricks, preview=True).items():
        said = read_text(content)
        assert said["Software"] == "ganassets 0.1.0" and said["Copyright"] == "CC0-1.0" and said["Seed"] == "7"
        assert said["Generator"] == "textures 1.0" and said["Model"] == "ab" * 32 and said["Title"] == "bricks"
        assert json.loads(said["Sliders"]) == dict(bricks.provenance.sliders)
        assert float(said["Texel size"].removesuffix(" m")) == pytest.approx(bricks.texel_size)
        assert ("Height low" in said) == name.endswith("height.png") and "Morph" not in said


def test_metres_come_back_from_height() -> None:
    bricks = make_bricks(32)
    content = encode(bricks)["bricks_height.png"]
    low, high = (float(read_text(content)[f"Height {end}"].removesuffix(" m")) for end in ("low", "high"))
    metres = low + read_png(content)[..., 0] / 65535 * (high - low)
    assert abs(metres - bricks.height).max() < 1e-6, "a micrometre of seven millimetres"


def test_morphs_and_other_alphabets_are_recorded() -> None:
    provenance = Provenance(licence="© Jürgen Żółć, 素材\0", seed=1, morph=(9, 0.25))
    said = read_text(encode(replace(plain(), provenance=provenance))["plain_orm.png"])
    assert said["Copyright"] == "© Jürgen Żółć, 素材 " and said["Morph"] == "seed 9, 0.25 of the way"
    plain_text = chunks(encode(replace(plain(), provenance=Provenance(licence="© ü")))["plain_orm.png"])
    assert b"iTXt" not in plain_text and b"Copyright\0\xa9 \xfc" in plain_text[b"tEXt"]


def test_files_are_about_as_small_as_pillows() -> None:
    for name, content in encode(make_bricks(128)).items():
        file = io.BytesIO()
        Image.open(io.BytesIO(content)).save(file, "PNG")
        assert len(content) < 1.1 * len(file.getvalue()), name


@given(random_texture_sets(), st.sampled_from(ENGINE_NAMES))
def test_webp_is_lossless(asset: TextureSet, engine: str) -> None:
    files = encode(asset, engine=engine, format="webp")
    maps = expected_maps(asset)
    for (name, content), what in zip(files.items(), EXPECTED[engine].values(), strict=True):
        image = Image.open(io.BytesIO(content))
        assert name.endswith(".webp") and image.format == "WEBP"
        assert (
            abs(np.asarray(image.convert("RGBA" if what == "mask" else "RGB")) / 255 - maps[what]).max()
            <= 0.5 / 255 + 1e-6
        )
        exif = image.getexif()
        said = json.loads(exif[270])
        assert exif[305] == said["Software"] == "ganassets 0.1.0" and exif[33432] == "CC0-1.0"
        assert ("Height low" in said) == (what == "height")


def test_webp_keeps_what_alpha_hides() -> None:
    rough = plain(roughness=1.0, metallic=0.8)
    mask = Image.open(io.BytesIO(encode(rough, engine="unity", format="webp")["plain_MaskMap.webp"]))
    assert (np.asarray(mask) == [204, 255, 128, 0]).all(), "smoothness 0 is no reason to lose metal"


def test_webp_has_a_largest_size() -> None:
    with pytest.raises(InputError, match="16383 pixels"):
        encode(plain((1, 16384)), format="webp")


def test_exr_holds_floats() -> None:
    openexr: Any = pytest.importorskip("OpenEXR", reason="the extra exr is not installed")
    bricks = make_bricks(32, metallic=0.5)
    for engine in ENGINES:
        files = encode(bricks, engine=engine, format="exr")
        maps = expected_maps(bricks) | {"height": bricks.height[..., None]}
        srgb = bricks.albedo.astype(float)
        maps["albedo"] = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        for (name, content), what in zip(files.items(), EXPECTED[engine].values(), strict=True):
            file = openexr.File(io.BytesIO(content), separate_channels=True)
            letters = "RGBA"[: maps[what].shape[-1]] if maps[what].shape[-1] > 1 else "Y"
            assert name.endswith(".exr") and set(file.channels()) == set(letters)
            pixels = np.stack([file.channels()[letter].pixels for letter in letters], -1)
            assert pixels.dtype == np.float32 and np.allclose(pixels, maps[what], atol=1e-6)
            assert file.header()["Software"] == "ganassets 0.1.0" and file.header()["Seed"] == "7"


def test_exr_without_its_library_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(InputError, match=r"pip install 'ganassets\[exr\]'"):
        encode(plain(), format="exr")


def test_preview_shows_sphere_and_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    bricks = make_bricks(32)
    files = encode(bricks, preview=True)
    assert list(files)[-1] == "bricks_preview.png" and len(files) == 5
    picture = read_png(files["bricks_preview.png"])
    assert picture.shape == (512, 1024, 3)
    assert np.ptp(picture[:16, :16], axis=(0, 1)).max() == 0 and picture[:, 512:].std() > 10
    monkeypatch.setattr("ganassets_images.export.PREVIEW_SIZE", 16)
    assert list(encode(bricks, preview=True, format="webp"))[-1] == "bricks_preview.png"


def test_same_material_same_bytes() -> None:
    for format in ("png", "webp"):
        assert encode(make_bricks(16), format=format) == encode(make_bricks(16), format=format)


def test_names_of_different_assets_differ() -> None:
    names = [f"textures-{seed:08d}" for seed in (1, 2, 12)]
    for engine in ENGINES:
        files = [set(encode(replace(plain(), name=name), engine=engine)) for name in names]
        assert all(not a & b for a, b in pairwise(files))


def test_listing_the_exporter_loads_no_image_library() -> None:
    code = "import sys, ganassets_images; print(sorted({'PIL', 'numpy', 'OpenEXR', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
