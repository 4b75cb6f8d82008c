"""Real skins: files of all kinds, tone, blending."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganassets.api.data.records import HIDDEN, LEFT_BEHIND, NOT_READ
from ganassets.api.errors import InputError
from ganassets_faces.basis import load_basis
from ganassets_faces.eyes import patch_slices
from ganassets_faces.painter.canvas import make_canvas
from ganassets_faces.skins import blend_skins, estimate_tones, load_skins, source_coordinates, tone_colours
from ganassets_faces.texels import texel_map

SIZE = 64
LIGHT, DARK, GREEN = (228, 188, 160), (110, 70, 50), (90, 140, 70)


def texture(colour: tuple[int, int, int], width: int = 300, seed: int = 0) -> Image.Image:
    """A body texture of one colour with a little grain."""
    grain = np.random.default_rng(seed).normal(0, 3, (width, width, 1))
    return Image.fromarray(np.clip(np.array(colour) + grain, 0, 255).astype(np.uint8))


def people(n: int, tone: float) -> np.ndarray:
    """Return (n, 7) sampled attributes of one skin tone."""
    attributes = load_basis().sample_attributes[:n].copy()
    attributes[:, 6] = tone
    return attributes


def face_colour(albedo: np.ndarray) -> np.ndarray:
    """Return the (n, 3) median colours between cheeks and chin."""
    canvas = make_canvas(SIZE)
    near = np.abs(canvas.points - (0.0, 0.125, 0.14)).max(1) < 0.05
    return np.median(albedo.reshape(len(albedo), 3, -1)[:, :, near], 2)


def test_modes_and_sizes(tmp_path: Path) -> None:
    light = texture(LIGHT)
    light.save(tmp_path / "rgb.png")
    light.save(tmp_path / "photo.jpg", quality=95)
    light.convert("RGBA").save(tmp_path / "rgba.png")
    light.convert("P").save(tmp_path / "palette.png")
    light.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    light.convert("L").save(tmp_path / "grey.png")
    Image.fromarray(np.full((300, 300), 190 * 257, np.uint16)).save(tmp_path / "deep.png")
    light.resize((700, 512)).save(tmp_path / "oblong.webp", lossless=True)
    skins = load_skins(tmp_path, SIZE)
    assert [record.use for record in skins.records] == ["skin"] * 8
    assert skins.albedo.shape == (8, 3, SIZE, SIZE) and skins.albedo.dtype == np.float32
    for name, skin in zip(skins.names, skins.albedo, strict=True):
        grey = name in ("grey.png", "deep.png")
        expected = np.full(3, 190.0) if name == "deep.png" else np.array(light.convert("L").convert("RGB")).mean((0, 1))
        expected = expected if grey else np.array(LIGHT)
        assert np.abs(skin.mean((1, 2)) - expected).max() < 6, name


def test_bad_files_are_listed_and_the_rest_is_used(tmp_path: Path) -> None:
    texture(LIGHT).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "prose.jpg").write_text("not a picture at all")
    (tmp_path / "manifest.jsonl").write_text("{}")
    texture(LIGHT, 100).save(tmp_path / "tiny.png")
    Image.new("1", (20000, 20000)).save(tmp_path / "bomb.png")
    (tmp_path / "inside").mkdir()
    texture(DARK).save(tmp_path / "inside" / "other.png")
    skins = load_skins(tmp_path, SIZE)
    assert set(skins.names) == {"good.png", "inside/other.png"}
    problems = {record.file: record.reason for record in skins.records if not record.use}
    assert set(problems) == {"truncated.png", "empty.png", "prose.jpg", "tiny.png", "bomb.png", "manifest.jsonl"}
    assert "truncated" in problems["truncated.png"]
    assert "100 x 100" in problems["tiny.png"]
    assert "million pixels" in problems["bomb.png"]
    assert problems["prose.jpg"] == problems["empty.png"] == "not a picture that can be read; make it PNG or JPEG"


def test_every_file_has_a_record_and_photographs_are_turned(tmp_path: Path) -> None:
    half = texture(LIGHT)
    half.paste(DARK, (0, 0, 300, 150))
    exif = Image.Exif()
    exif[274] = 3
    half.save(tmp_path / "upright.png")
    half.rotate(180).save(tmp_path / "turned.png", exif=exif)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(tmp_path / "upright.png", "in.png")
        archive.writestr("__MACOSX/._in.png", b"")
    (tmp_path / ".hidden").write_bytes(b"")
    (tmp_path / "notes.md").write_bytes(b"")
    skins = load_skins(tmp_path, SIZE)
    assert {record.file: record.use or record.category for record in skins.records} == {
        "upright.png": "skin", "turned.png": "skin", "more.zip/in.png": "skin",
        "more.zip/__MACOSX/._in.png": LEFT_BEHIND,
        ".hidden": HIDDEN, "notes.md": NOT_READ,
    }  # fmt: skip
    for skin in skins.albedo[1:]:
        np.testing.assert_array_equal(skin, skins.albedo[0])


def test_folder_without_usable_skins(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable skin"):
        load_skins(tmp_path, SIZE)
    (tmp_path / "a.png").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"a\.png: not a picture"):
        load_skins(tmp_path, SIZE)
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        load_skins(tmp_path / "a.png", SIZE)


def test_textures_are_resampled_to_the_head_layout(tmp_path: Path) -> None:
    """A texture of its own coordinates as colours shows the source of each texel."""
    v, u = np.mgrid[0:1024, 0:1024] + 0.5
    ramp = np.stack([u / 1024, 1 - v / 1024, 0 * u], -1) * 255
    Image.fromarray(ramp.round().astype(np.uint8)).save(tmp_path / "ramp.png")
    skin = load_skins(tmp_path, SIZE).albedo[0]
    expected = source_coordinates(SIZE).transpose(2, 0, 1) * 255
    inside = texel_map(SIZE).inside
    assert np.median(np.abs(skin[:2] - expected)[:, inside], axis=1).max() < 1


def test_downscaling_does_not_alias(tmp_path: Path) -> None:
    """A fine chequerboard becomes grey."""
    y, x = np.mgrid[0:2048, 0:2048]
    Image.fromarray(((x + y) % 2 * 255).astype(np.uint8)).save(tmp_path / "chequer.png")
    skin = load_skins(tmp_path, SIZE).albedo[0]
    assert skin.std() < 3 and abs(skin.mean() - 127.5) < 3


def test_tone_is_measured(tmp_path: Path) -> None:
    for name, colour in (("a", LIGHT), ("b", DARK), ("c", GREEN)):
        texture(colour).save(tmp_path / f"{name}.png")
    skins = load_skins(tmp_path, SIZE)
    assert skins.tone[0] < 0.3 < 0.7 < skins.tone[1]
    assert skins.human.tolist() == [True, True, False]
    tones = np.linspace(0, 1, 11)
    assert np.abs(estimate_tones(tone_colours(tones)) - tones).max() < 0.01


def test_age_and_sex_come_from_file_names(tmp_path: Path) -> None:
    for name in ("old_female2", "young_male", "golden_human"):
        texture(LIGHT).save(tmp_path / f"{name}.png")
    skins = load_skins(tmp_path, SIZE)
    assert skins.names == ("golden_human.png", "old_female2.png", "young_male.png")
    assert np.array_equal(skins.sex, [np.nan, 0, 1], equal_nan=True)
    assert np.array_equal(skins.age, [np.nan, 72, 24], equal_nan=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skins")
    texture(LIGHT).save(folder / "light.png")
    texture(DARK, seed=1).save(folder / "dark.png")
    return folder


def test_blend_follows_the_tone_slider(pair: Path) -> None:
    skins = load_skins(pair, SIZE)
    greens = []
    for tone in (0.0, 0.25, 0.5, 0.75, 1.0):
        albedo = blend_skins(skins, people(12, tone), 12, SIZE, np.random.default_rng(0))
        assert albedo.shape == (12, 3, SIZE, SIZE) and albedo.dtype == np.uint8
        greens.append(face_colour(albedo)[:, 1].mean())
    assert (np.diff(greens) < -10).all()
    assert np.abs(np.array(greens) - tone_colours(np.linspace(0, 1, 5))[:, 1]).max() < 20


def test_blends_differ_and_are_deterministic(pair: Path) -> None:
    skins = load_skins(pair, SIZE)
    person = np.repeat(people(1, 0.5), 20, 0)
    first, again = (blend_skins(skins, person, 20, SIZE, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(np.unique(first.reshape(20, -1), axis=0)) == 20
    rows, columns = patch_slices(SIZE)
    patch = first[:, :, rows, columns].reshape(20, 3, -1)
    assert (patch == patch[:, :, :1]).all()


def test_blend_adds_brows_where_there_are_none(pair: Path) -> None:
    skins = load_skins(pair, SIZE)
    assert skins.bare_brows.all()
    canvas = make_canvas(SIZE)
    brow = np.abs(np.column_stack([canvas.side, canvas.points[:, 1:]]) - (0.03, 0.1685, 0.14))
    brow = (brow < (0.01, 0.002, 0.03)).all(1)
    green = blend_skins(skins, people(16, 0.3), 16, SIZE, np.random.default_rng(4))[:, 1].reshape(16, -1)
    assert (green[:, brow].mean(1) < 0.9 * np.median(green, 1)).mean() > 0.8


def test_non_human_colours_are_kept(tmp_path: Path) -> None:
    texture(GREEN).save(tmp_path / "orc.png")
    albedo = blend_skins(load_skins(tmp_path, SIZE), people(6, 0.5), 6, SIZE, np.random.default_rng(5))
    assert np.abs(face_colour(albedo) - GREEN).max() < 30
