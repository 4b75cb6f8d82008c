"""Pictures of folders and zips: every kind of file, shape, label and damage."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from ganassets.api.data import pictures, sources
from ganassets.api.data.images import FORMATS, SUFFIXES, opened_image, visible_image
from ganassets.api.data.labels import FolderLabels, folder_labels, label_name
from ganassets.api.data.pictures import (
    POLICIES,
    PictureSamples,
    label_counts,
    read_pictures,
    scan_pictures,
)
from ganassets.api.data.records import PREVIEW, TOO_MANY, count_files
from ganassets.api.errors import InputError
from ganassets.api.sheets import encode_sheet

SIZE = 16
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr")


def noise(width: int, height: int, seed: int = 0, channels: int = 3) -> Image.Image:
    """Random pixels; no two seeds give the same."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8))


def flat(mode: str, value: int, size: tuple[int, int] = (20, 20)) -> Image.Image:
    """One grey, 0 to 255, in a mode of Pillow."""
    if mode == "I;16":
        return Image.fromarray(np.full(size[::-1], value * 257, np.uint16))
    if mode == "F":
        return Image.fromarray(np.full(size[::-1], value / 255, np.float32))
    return Image.new("L", size, value).convert(mode)


def left_out(found: PictureSamples) -> dict[str, str]:
    """Why each file is left out that is."""
    return {record.file: record.reason for record in found.records if not record.use}


def fill(folder: Path, count: int, start: int = 0, size: tuple[int, int] = (20, 20)) -> None:
    """Different pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        noise(*size, seed=i).save(folder / f"{i}.png")


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def png(seed: int = 0, width: int = 20, height: int = 20) -> bytes:
    """A file's content."""
    stream = BytesIO()
    noise(width, height, seed).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_keeps_its_grey(tmp_path: Path, mode: str) -> None:
    value = 255 if mode == "1" else 170
    suffix = "tif" if mode in ("F", "CMYK", "YCbCr") else "png"
    flat(mode, value).save(tmp_path / f"a.{suffix}")
    found = read_pictures(tmp_path, SIZE)
    assert found.pixels.shape == (1, 3, SIZE, SIZE) and found.pixels.dtype == np.uint8
    assert np.abs(found.pixels.astype(int) - value).max() <= 2
    assert [record.use for record in found.records] == ["picture"]


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    """Pillow can't write them; the file is put together by hand."""
    row = b"\0" + struct.pack(">4H", 257 * 200, 257 * 100, 257 * 50, 65535) * 8

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 6, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(row * 8)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(content)
    assert read_pictures(tmp_path, 8).pixels[0, :, 3, 3].tolist() == [200, 100, 50]


def test_transparency_of_a_palette_is_alpha(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 4, 8))
    image.save(tmp_path / "a.png", transparency=0)
    found = read_pictures(tmp_path, 8).pixels[0]
    assert found[:, 0, 0].tolist() == [200, 100, 50, 255]
    assert found[:, 0, 7].tolist() == [0, 0, 0, 0], "a colour that isn't seen is left"


def test_opaque_alpha_is_no_channel(tmp_path: Path) -> None:
    noise(20, 20).convert("RGBA").save(tmp_path / "a.png")
    assert read_pictures(tmp_path, SIZE).pixels.shape[1] == 3
    Image.new("RGBA", (20, 20), (255, 0, 0, 100)).save(tmp_path / "b.png")
    found = read_pictures(tmp_path, SIZE).pixels
    assert found.shape[1] == 4 and (found[0, 3] == 255).all() and found[1, :, 0, 0].tolist() == [255, 0, 0, 100]


def test_colours_are_weighted_by_alpha(tmp_path: Path) -> None:
    """Green that nobody sees doesn't bleed into red when the picture shrinks."""
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, ::2], pixels[:, 1::2] = (255, 0, 0, 255), (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = read_pictures(tmp_path, SIZE).pixels[0]
    assert found[0].min() >= 253 and found[1].max() == 0 and np.abs(found[3].astype(int) - 128).max() <= 1


def test_exif_turns_pictures_upright(tmp_path: Path) -> None:
    stored = Image.new("RGB", (40, 20), (255, 0, 0))
    stored.paste((0, 0, 255), (0, 0, 20, 20))
    for orientation in (1, 3, 6, 8, 99):
        exif = Image.Exif()
        exif[274] = orientation
        stored.save(tmp_path / f"{orientation}.jpg", exif=exif, quality=95)
    scan = scan_pictures(tmp_path)
    assert {p.name: (p.width, p.height) for p in scan.pictures} == {
        "1.jpg": (40, 20), "3.jpg": (40, 20), "6.jpg": (20, 40), "8.jpg": (20, 40), "99.jpg": (40, 20),
    }  # fmt: skip
    found = read_pictures(tmp_path, SIZE, "stretch")
    blue = {name: picture[2] > 128 for name, picture in zip(found.names, found.pixels, strict=True)}
    assert blue["1.jpg"][:, 0].all() and blue["3.jpg"][:, -1].all()
    assert blue["6.jpg"][0].all() and blue["8.jpg"][-1].all()
    assert left_out(found) == {"99.jpg": "the same pixels as 1.jpg"}


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_all_formats_are_turned_once(tmp_path: Path, form: str) -> None:
    stored = Image.new("RGB", (40, 20), (255, 0, 0))
    stored.paste((0, 0, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[274] = 6
    stored.save(tmp_path / f"a.{form.lower()}", form, exif=exif)
    (picture,) = scan_pictures(tmp_path).pictures
    assert (picture.width, picture.height) == (20, 40)
    blue = read_pictures(tmp_path, SIZE, "stretch").pixels[0, 2] > 128
    assert blue[0].all() and not blue[-1].any()


def test_exif_behind_the_pixels_of_a_png_turns_it(tmp_path: Path) -> None:
    exif, stream = Image.Exif(), BytesIO()
    exif[274] = 3
    stored = Image.new("RGB", (20, 20), (255, 0, 0))
    stored.paste((0, 0, 255), (0, 0, 10, 20))
    stored.save(stream, "PNG", exif=exif)
    content = stream.getvalue()
    start = content.index(b"eXIf") - 4
    end = content.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(content[:start] + content[end:-12] + content[start:end] + content[-12:])
    blue = read_pictures(tmp_path, SIZE).pixels[0, 2] > 128
    assert blue[:, -1].all() and not blue[:, 0].any()


def test_scanning_decodes_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = ({f".{form.lower()}" for form in FORMATS} & SUFFIXES) - {".ico"}  # which Pillow decodes as it opens it
    for suffix in forms:
        noise(20, 20).save(tmp_path / f"a{suffix}")
    Image.new("L", (20, 20)).save(tmp_path / "hidden.png", transparency=3)
    decoded: list[str] = []
    load = ImageFile.ImageFile.load

    def counted(image: ImageFile.ImageFile) -> object:
        decoded.append(str(image.format))
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    assert len(scan_pictures(tmp_path).pictures) == len(forms) + 1 and not decoded
    read_pictures(tmp_path, SIZE)
    assert "PNG" in decoded


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for suffix in ("gif", "png", "webp"):
        frames[0].save(tmp_path / f"{suffix}.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
        assert read_pictures(tmp_path, SIZE).pixels[0, :, 0, 0].tolist() == [255, 0, 0]
        (tmp_path / f"{suffix}.{suffix}").unlink()


def test_bad_files_are_listed_and_the_rest_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "in" / "deep", 2)
    whole = png(5)
    files = {
        "half.png": whole[: len(whole) // 2], "empty.png": b"", "prose.jpg": b"once upon a time " * 9,
        "dot.png": png(6, 1, 1), "thin.png": png(7, 30, 2), "scan.psd": b"8BPS", "notes.txt": b"not listed",
        "again.png": (tmp_path / "in" / "deep" / "0.png").read_bytes(), "broken.zip": b"PK\3\4 nothing",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    Image.fromarray(np.full((20, 20), np.inf, np.float32)).save(tmp_path / "endless.tif")
    monkeypatch.setattr("ganassets.api.data.images.LARGEST", 10_000)
    noise(101, 100).save(tmp_path / "huge.png")
    found = read_pictures(tmp_path, SIZE)
    assert found.names == ("again.png", "in/deep/1.png")
    problems = left_out(found)
    expected = {
        "half.png": "damaged or truncated", "empty.png": "not a picture", "prose.jpg": "not a picture",
        "dot.png": "only 1 x 1 pixels", "thin.png": "only 30 x 2", "scan.psd": ".psd is not read; convert",
        "huge.png": "pixels; make",
        "broken.zip": "zip", "endless.tif": "not finite", "notes.txt": ".txt is not read",
        "in/deep/0.png": "the same pixels as again.png",
    }  # fmt: skip
    assert problems.keys() == expected.keys()
    assert all(text in problems[name] for name, text in expected.items()), problems
    assert all("\n" not in text for text in problems.values())


@pytest.mark.parametrize("form", FORMATS)
def test_damage_is_an_input_error_or_a_picture(form: str) -> None:
    stream, rng = BytesIO(), np.random.default_rng(0)
    noise(20, 20).save(stream, form)
    content = stream.getvalue()
    for _ in range(40):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 6)] = rng.integers(0, 256, 6)
        failure = None
        try:
            with opened_image(BytesIO(damaged.tobytes()), ".x") as image:
                if image.width * image.height < 10_000:
                    assert visible_image(image)[0].mode in ("RGB", "RGBA")
        except InputError as error:
            failure = error
        assert "\n" not in str(failure)


def test_a_bomb_is_told_by_its_header(tmp_path: Path) -> None:
    content = bytearray(png())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(InputError, match=r"no picture that can be used \(bomb.png: more than 89 million pixels"):
        scan_pictures(tmp_path)


def test_long_pictures_take_the_memory_of_what_is_made_of_them(tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 8), (10, 200, 30)).save(tmp_path / "long.png")
    Image.new("RGB", (30_000, 64), (10, 200, 30)).save(tmp_path / "long.jpg", quality=95)
    for crop in POLICIES:
        found = read_pictures(tmp_path, SIZE, crop).pixels
        assert np.abs(found.astype(int) - np.array([10, 200, 30])[:, None, None]).max() <= 3


def test_links_and_names_that_lead_out(tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside"
    fill(folder, 1)
    fill(outside, 1, start=50)
    (folder / "out.png").symlink_to(outside / "50.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    zipped(folder / "in.zip", {"../evil.png": png(60), "/evil.png": png(61), "fine.png": png(62)})
    found = read_pictures(folder, SIZE)
    assert found.names == ("0.png", "in.zip/fine.png")
    reasons = left_out(found)
    assert {name for name, why in reasons.items() if "leads out" in why} == {
        "out.png", "in.zip/../evil.png", "in.zip//evil.png",
    }  # fmt: skip
    assert reasons.keys() - {"out.png", "in.zip/../evil.png", "in.zip//evil.png"} == {"loop.png", "round", "pipe.png"}


def test_a_member_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_MEMBER", 3000)
    path = zipped(tmp_path / "a.zip", {"big.png": bytes(4000), "fine.png": png()})
    found = read_pictures(path, SIZE)
    assert found.names == ("fine.png",) and "unpacked" in left_out(found)["big.png"]


@pytest.mark.parametrize("make", ["nothing", "folder", "prose"])
def test_nothing_to_read_is_one_sentence(tmp_path: Path, make: str) -> None:
    path = tmp_path / "x"
    if make == "folder":
        path.mkdir()
    elif make == "prose":
        path.write_text("not a zip")
    with pytest.raises(InputError, match=r"a folder or a zip of pictures\.$|put PNG or JPEG files there\.$"):
        read_pictures(path, SIZE)


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 9)
    monkeypatch.setattr(pictures, "MOST_BYTES", 4 * 4 * SIZE * SIZE)
    found = read_pictures(tmp_path, SIZE)
    assert found.names == ("0.png", "2.png", "4.png", "6.png")
    assert found.notes == ("4 of 9 pictures are used; more would not fit in memory.",)
    totals = count_files(found.records)
    assert (totals.found, totals.used, totals.left_out) == (9, 4, {TOO_MANY: 5})


def crossed(width: int, height: int) -> Image.Image:
    """A different colour on each of the four sides, grey in the middle."""
    image = noise(width, height).point([110 + value // 16 for value in range(256)] * 3)
    side = max(min(width, height) // 8, 1)
    for box, colour in (
        ((0, 0, width, side), (255, 0, 0)), ((0, height - side, width, height), (0, 255, 0)),
        ((0, 0, side, height), (0, 0, 255)), ((width - side, 0, width, height), (255, 255, 0)),
    ):  # fmt: skip
        image.paste(colour, box)
    return image


def sides_seen(picture: np.ndarray) -> set[str]:
    """Which of crossed's sides a (3, size, size) picture shows."""
    colours = {"top": (255, 0, 0), "bottom": (0, 255, 0), "left": (0, 0, 255), "right": (255, 255, 0)}
    near = {k: np.abs(picture.astype(int) - np.array(c)[:, None, None]).max(0) < 60 for k, c in colours.items()}
    return {name for name, mask in near.items() if mask.any()}


@pytest.mark.parametrize(
    ("crop", "sizes", "aspect", "seen"),
    [
        ("auto", [(48, 64)] * 3, 0.75, ("left", "right", "top", "bottom")),
        ("auto", [(48, 64), (64, 48), (64, 64)], 1.0, ("left", "right")),
        ("centre", [(48, 64)] * 3, 1.0, ("left", "right")),
        ("stretch", [(48, 64), (64, 48), (60, 80)], 0.75, ("left", "right", "top", "bottom")),
        ("pad", [(48, 64)] * 3, 1.0, ("left", "right", "top", "bottom")),
    ],
)
def test_crops(tmp_path: Path, crop: str, sizes: list[tuple[int, int]], aspect: float, seen: tuple[str, ...]) -> None:
    for i, (width, height) in enumerate(sizes):
        image = crossed(width, height)
        image.putpixel((width // 2, height // 2), (i, 0, 0))  # no two are the same
        image.save(tmp_path / f"{i}.png")
    found = read_pictures(tmp_path, 32, crop)
    assert found.aspect == pytest.approx(aspect, abs=1e-4)
    assert sides_seen(found.pixels[0]) == set(seen)


def test_outliers_are_cut_to_the_common_shape(tmp_path: Path) -> None:
    fill(tmp_path, 30, size=(48, 64))
    crossed(64, 64).save(tmp_path / "z.png")
    found = read_pictures(tmp_path, 32)
    assert found.aspect == pytest.approx(0.75, abs=1e-4)
    assert sides_seen(found.pixels[-1]) == {"top", "bottom"}


def test_padding_is_clear_or_the_colour_of_the_edge(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32), (200, 40, 90))
    image.paste((0, 0, 0), (20, 10, 40, 20))
    image.save(tmp_path / "a.png")
    found = read_pictures(tmp_path, 32, "pad").pixels[0]
    assert np.abs(found[:, 0, 5].astype(int) - (200, 40, 90)).max() <= 1
    image.putalpha(200)
    image.save(tmp_path / "a.png")
    found = read_pictures(tmp_path, 32, "pad").pixels[0]
    assert found[3, 0, 5] == 0 and found[3, 16, 1] == 200


def test_an_unknown_crop(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--crop is one of auto, centre, stretch, pad"):
        read_pictures(tmp_path, SIZE, "round")


def test_pixel_art_stays_sharp_and_photographs_don_t(tmp_path: Path) -> None:
    noise(20, 20).save(tmp_path / "photo.png")
    noise(8, 8).save(tmp_path / "sprite.png")
    found = dict(zip(*(lambda p: (p.names, p.pixels))(read_pictures(tmp_path, 40)), strict=True))
    sprite = np.asarray(noise(8, 8)).transpose(2, 0, 1)
    assert (found["sprite.png"] == sprite.repeat(5, 1).repeat(5, 2)).all()
    photo = np.asarray(noise(20, 20)).transpose(2, 0, 1)
    assert (found["photo.png"] != photo.repeat(2, 1).repeat(2, 2)).mean() > 0.5


def test_shrinking_takes_means(tmp_path: Path) -> None:
    noise(64, 64).save(tmp_path / "a.png")
    means = np.asarray(noise(64, 64)).reshape(SIZE, 4, SIZE, 4, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(read_pictures(tmp_path, SIZE).pixels[0] - means).max() <= 1


@settings(max_examples=60)
@given(
    st.integers(4, 70), st.integers(4, 70), st.sampled_from(["L", "LA", "P", "RGB", "RGBA", "CMYK"]),
    st.sampled_from(POLICIES), st.sampled_from([4, 7, 16, 33]), st.integers(0, 3),
)  # fmt: skip
def test_any_size_mode_and_shape(width: int, height: int, mode: str, crop: str, size: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        noise(width, height, seed, 4).convert(mode).save(Path(folder) / "a.tif")
        noise(height, width, seed + 9).save(Path(folder) / "b.png")
        found = read_pictures(Path(folder), size, crop)
    assert found.pixels.shape[0] + len(left_out(found)) == 2 and found.pixels.shape[2:] == (size, size)
    assert found.pixels.shape[1] in (3, 4)
    assert 0.25 <= found.aspect <= 4


# Labels.


def test_first_folders_are_labels(tmp_path: Path) -> None:
    fill(tmp_path / "Dark Elf" / "more", 2)
    fill(tmp_path / "orc", 3, start=10)
    found = read_pictures(tmp_path, SIZE)
    assert found.classes == ("dark-elf", "orc") and label_counts(found) == {"dark-elf": 2, "orc": 3}
    assert found.labels is not None and found.labels.tolist() == [0, 0, 1, 1, 1]


def test_zips_and_wrapped_folders_are_labels(tmp_path: Path) -> None:
    zipped(tmp_path / "Elves.zip", {"a/1.png": png(1), "b/2.png": png(2)})
    zipped(tmp_path / "Orcs.zip", {"1.png": png(3)})
    assert read_pictures(tmp_path, SIZE).classes == ("elves", "orcs")
    wrapped = zipped(tmp_path / "in.ZIP", {"data/set/elf/1.png": png(1), "data/set/orc/1.png": png(2)})
    assert read_pictures(wrapped, SIZE).classes == ("elf", "orc")


@pytest.mark.parametrize(
    "names",
    [[], ["a.png"], ["x/a.png", "x/b.png"], ["x/a.png", "y/b.png", "c.png"], [f"{i}/a.png" for i in range(65)]],
)
def test_folders_that_say_nothing(names: list[str]) -> None:
    assert folder_labels(names).labels is None


@pytest.mark.parametrize(
    ("names", "note"),
    [
        ([f"{i}/a.png" for i in range(65)], "Labels are not used: the folders give 65 of them, 2 to 64 can be."),
        (["x/a.png", "y/b.png", "c.png"], "Labels are not used: 1 of 3 pictures lie in no label's folder."),
    ],
)
def test_labels_that_are_not_used_are_told(names: list[str], note: str) -> None:
    assert folder_labels(names) == FolderLabels(None, (note,))


@pytest.mark.parametrize("stray", ["cover.png", "data/cover.png"])
def test_a_stray_picture_is_left_out(tmp_path: Path, stray: str) -> None:
    fill(tmp_path / "data" / "elf", 6)
    fill(tmp_path / "data" / "orc", 6, start=6)
    (tmp_path / stray).write_bytes(png(20))
    found = read_pictures(tmp_path, SIZE)
    assert label_counts(found) == {"elf": 6, "orc": 6}
    assert left_out(found) == {stray: "lies in no label's folder"}


def names_in(**counts: int) -> list[str]:
    """Names of pictures by how many there are in a folder, named like a__cats for a/cats."""
    return [f"{folder.replace('__', '/')}/{i}.png" for folder, count in counts.items() for i in range(count)]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (names_in(a__cats=50, a__dogs=50, b=1), {"cats": 50, "dogs": 50, None: 1}),
        (names_in(a__in__cats=50, a__in__dogs=50, a__x=2, b=2), {"cats": 50, "dogs": 50, None: 4}),
        (names_in(a__cats=50, a__dogs=50, b=30), {"a": 100, "b": 30}),
        (names_in(a__cats=30, a__dogs=30, a=40, b=1), {"a": 100, "b": 1}),
        (names_in(elf=95, orc=5), {"elf": 95, "orc": 5}),
        (names_in(elf__m=50, elf__f=40, orc=9), {"elf": 90, "orc": 9}),
        (names_in(elf__more=95, orc=5), {"elf": 95, "orc": 5}),
        (names_in(elf__more=94, elf__new=1, orc=5), {"elf": 95, "orc": 5}),
    ],
)
def test_a_few_strays_in_another_folder_hide_no_labels(names: list[str], labels: dict[str | None, int]) -> None:
    told = folder_labels(names)
    assert Counter(told.labels or ()) == labels and not told.notes


def test_labels_stay_apart_whatever_signs_and_script() -> None:
    names = ["c++/1.png", "c#/1.png", "Dark Elf/1.png", "dark_elf/1.png", "エルフ/1.png", "эльф/1.png", "हिन्दी/1.png"]
    told = folder_labels(names)
    assert told.labels == ("c-2", "c", "dark-elf", "dark-elf", "エルフ", "эльф", "हिन्दी")
    assert told.notes == (
        "The folder c++ has the label c-2, because another one is called c already.",
        "The folder dark_elf shares the label dark-elf with another one.",
    )


def test_files_without_an_ending_and_rare_endings_are_read(tmp_path: Path) -> None:
    for i, (name, form) in enumerate(
        {"a.jfif": "JPEG", "b.jpe": "JPEG", "c.jpg_large": "JPEG", "d": "PNG", "e": "JPEG", "f.ppm": "PPM",
         "g.pgm": "PPM", "h.gif": "GIF", "i.dds": "DDS", "j.ico": "ICO"}.items()
    ):  # fmt: skip
        noise(20, 20, i).convert("L" if name == "g.pgm" else "RGB").save(tmp_path / name, form)
    for name in ("README", "a.jxl", "b.heif", "c.svg", "d.qoi"):
        (tmp_path / name).write_bytes(b"no picture")
    found = read_pictures(tmp_path, SIZE)
    assert len(found.names) == 10
    assert left_out(found) == {
        "README": "a file without an ending is not read", "a.jxl": ".jxl is not read; convert it to PNG",
        "b.heif": ".heif is not read; convert it to PNG", "c.svg": ".svg is not read; convert it to PNG",
        "d.qoi": ".qoi is not read; convert it to PNG",
    }  # fmt: skip


def test_pictures_that_show_nothing(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    Image.new("RGBA", (20, 20), (90, 40, 30, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (20, 20), (90, 40, 30)).save(tmp_path / "flat.png")
    found = read_pictures(tmp_path, SIZE)
    assert left_out(found) == {"clear.png": "all of it is transparent"}
    assert found.notes == ("1 of 3 pictures are of one colour, such as flat.png.",)


def test_contact_sheets_and_snapshots_are_no_data(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    for name in ("contact-sheet.jpg", "runs/snapshots/1.png", "other/contact-sheet.png", "made/contact-sheet-a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        noise(20, 20, len(name)).save(tmp_path / name)
    for name in ("index.jsonl", "made/index.jsonl", "runs/config.toml", "runs/data.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "sheet.png").write_bytes(encode_sheet(noise(20, 20, 99)))
    found = read_pictures(tmp_path, SIZE)
    assert found.names == ("0.png", "1.png", "other/contact-sheet.png")
    drawn = {record.file for record in found.records if record.category == PREVIEW}
    assert drawn == {"contact-sheet.jpg", "made/contact-sheet-a.png", "runs/snapshots/1.png", "sheet.png"}


PATHS = st.lists(
    st.sampled_from(["a.png", "b.PNG", "c", ".x.png", "elf", "orc", "__MACOSX", "n.txt"]), min_size=1, max_size=3
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=10), st.sampled_from([b"no picture", None]))
def test_every_file_on_disk_has_a_record(paths: list[list[str]], content: bytes | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "good.png").write_bytes(png())
        for i, path in enumerate(paths):
            file = root.joinpath(*path)
            if not file.exists() and not any(parent.is_file() for parent in file.parents):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content or png(i + 1))
        files = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
        found = read_pictures(root, SIZE)
    assert {record.file for record in found.records} == files
    assert count_files(found.records).used == len(found.names)


@given(st.text(max_size=20))
def test_label_names_can_be_typed(folder: str) -> None:
    name = label_name(folder)
    assert name and not set(name) & set(" ,:=/_")


def test_a_class_whose_pictures_are_all_broken_is_gone(tmp_path: Path) -> None:
    fill(tmp_path / "elf", 2)
    (tmp_path / "orc").mkdir()
    (tmp_path / "orc" / "a.png").write_bytes(png(9)[:600])  # its header can be read
    found = read_pictures(tmp_path, SIZE)
    assert found.classes == () and found.labels is None and len(left_out(found)) == 1


def dataset_zip(path: Path, content: object) -> Path:
    """A zip as StyleGAN's tools make it: twelve pictures in folders that mean nothing."""
    files = {f"{i % 2:05d}/img{i:08d}.png": png(i) for i in range(12)}
    return zipped(path, {**files, "dataset.json": json.dumps(content).encode()})


def test_labels_of_a_dataset_json(tmp_path: Path) -> None:
    labels = [[f"{i % 2:05d}/img{i:08d}.png", [0, 2, 10][i % 3]] for i in range(12)]
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": labels}), SIZE)
    assert found.classes == ("0", "2", "10") and label_counts(found) == {"0": 4, "2": 4, "10": 4}
    name = found.names.index("00001/img00000005.png")
    assert found.labels is not None and found.classes[found.labels[name]] == "10"
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": labels[:-1]}), SIZE)
    assert left_out(found) == {"00001/img00000011.png": "dataset.json gives it no label"}


def test_a_dataset_json_without_labels(tmp_path: Path) -> None:
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": None}), SIZE)
    assert found.classes == () and not left_out(found) and not found.notes
    many = [[f"{i % 2:05d}/img{i:08d}.png", i % 2 * i] for i in range(12)] + [[f"{i}", i] for i in range(99)]
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": many}), SIZE)
    assert found.classes == () and len(found.names) == 12
    assert found.notes == ("Labels are not used: dataset.json has 99 of them, 2 to 64 can be.",)


@pytest.mark.parametrize(
    "content", [[], {}, {"labels": 5}, {"labels": [["a.png"]]}, {"labels": [["a.png", 0.5]]}, {"labels": [[3, 4]]}, 7]
)
def test_a_wrong_dataset_json_is_a_problem(tmp_path: Path, content: object) -> None:
    found = read_pictures(dataset_zip(tmp_path / "a.zip", content), SIZE)
    assert len(found.names) == 12 and found.classes == ()
    assert "not labels such as" in left_out(found)["dataset.json"]
