"""Reading pictures from folders and zips: formats, transparency, orientation and damage."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from ganassets.api.data import pictures, sources
from ganassets.api.data.images import FORMATS, SUFFIXES, opened_image, visible_image
from ganassets.api.data.pictures import (
    POLICIES,
    read_pictures,
    scan_pictures,
)
from ganassets.api.data.records import PREVIEW, TOO_MANY, count_files
from ganassets.api.errors import InputError
from ganassets.api.sheets import encode_sheet
from support.picture_files import SIZE, make_noise, png_bytes, save_pictures, unused_files
from support.zip_files import write_zip

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr")


def flat(mode: str, value: int, size: tuple[int, int] = (20, 20)) -> Image.Image:
    """One grey, 0 to 255, in a mode of Pillow."""
    if mode == "I;16":
        return Image.fromarray(np.full(size[::-1], value * 257, np.uint16))
    if mode == "F":
        return Image.fromarray(np.full(size[::-1], value / 255, np.float32))
    return Image.new("L", size, value).convert(mode)


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
    make_noise(20, 20).convert("RGBA").save(tmp_path / "a.png")
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
    assert unused_files(found) == {"99.jpg": "the same pixels as 1.jpg"}


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
        make_noise(20, 20).save(tmp_path / f"a{suffix}")
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
    save_pictures(tmp_path / "in" / "deep", 2)
    whole = png_bytes(5)
    files = {
        "half.png": whole[: len(whole) // 2], "empty.png": b"", "prose.jpg": b"once upon a time " * 9,
        "dot.png": png_bytes(6, 1, 1), "thin.png": png_bytes(7, 30, 2), "scan.psd": b"8BPS", "notes.txt": b"not listed",
        "again.png": (tmp_path / "in" / "deep" / "0.png").read_bytes(), "broken.zip": b"PK\3\4 nothing",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    Image.fromarray(np.full((20, 20), np.inf, np.float32)).save(tmp_path / "endless.tif")
    monkeypatch.setattr("ganassets.api.data.images.LARGEST", 10_000)
    make_noise(101, 100).save(tmp_path / "huge.png")
    found = read_pictures(tmp_path, SIZE)
    assert found.names == ("again.png", "in/deep/1.png")
    problems = unused_files(found)
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
    make_noise(20, 20).save(stream, form)
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


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    content = bytearray(png_bytes())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(InputError, match=r"no picture that can be used \(bomb.png: more than 89 million pixels"):
        scan_pictures(tmp_path)


def test_long_pictures_need_only_the_memory_of_the_result(tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 8), (10, 200, 30)).save(tmp_path / "long.png")
    Image.new("RGB", (30_000, 64), (10, 200, 30)).save(tmp_path / "long.jpg", quality=95)
    for crop in POLICIES:
        found = read_pictures(tmp_path, SIZE, crop).pixels
        assert np.abs(found.astype(int) - np.array([10, 200, 30])[:, None, None]).max() <= 3


def test_links_and_names_that_lead_out(tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside"
    save_pictures(folder, 1)
    save_pictures(outside, 1, start=50)
    (folder / "out.png").symlink_to(outside / "50.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    write_zip(
        folder / "in.zip",
        {"../evil.png": png_bytes(60), "/evil.png": png_bytes(61), "fine.png": png_bytes(62)},
    )
    found = read_pictures(folder, SIZE)
    assert found.names == ("0.png", "in.zip/fine.png")
    reasons = unused_files(found)
    assert {name for name, why in reasons.items() if "leads out" in why} == {
        "out.png", "in.zip/../evil.png", "in.zip//evil.png",
    }  # fmt: skip
    assert reasons.keys() - {"out.png", "in.zip/../evil.png", "in.zip//evil.png"} == {"loop.png", "round", "pipe.png"}


def test_a_member_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_MEMBER", 3000)
    path = write_zip(tmp_path / "a.zip", {"big.png": bytes(4000), "fine.png": png_bytes()})
    found = read_pictures(path, SIZE)
    assert found.names == ("fine.png",) and "unpacked" in unused_files(found)["big.png"]


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
    save_pictures(tmp_path, 9)
    monkeypatch.setattr(pictures, "MOST_BYTES", 4 * 4 * SIZE * SIZE)
    found = read_pictures(tmp_path, SIZE)
    assert found.names == ("0.png", "2.png", "4.png", "6.png")
    assert found.notes == ("4 of 9 pictures are used; more would not fit in memory.",)
    totals = count_files(found.records)
    assert (totals.found, totals.used, totals.left_out) == (9, 4, {TOO_MANY: 5})


def test_files_without_an_ending_and_rare_endings_are_read(tmp_path: Path) -> None:
    for i, (name, form) in enumerate(
        {"a.jfif": "JPEG", "b.jpe": "JPEG", "c.jpg_large": "JPEG", "d": "PNG", "e": "JPEG", "f.ppm": "PPM",
         "g.pgm": "PPM", "h.gif": "GIF", "i.dds": "DDS", "j.ico": "ICO"}.items()
    ):  # fmt: skip
        make_noise(20, 20, i).convert("L" if name == "g.pgm" else "RGB").save(tmp_path / name, form)
    for name in ("README", "a.jxl", "b.heif", "c.svg", "d.qoi"):
        (tmp_path / name).write_bytes(b"no picture")
    found = read_pictures(tmp_path, SIZE)
    assert len(found.names) == 10
    assert unused_files(found) == {
        "README": "a file without an ending is not read", "a.jxl": ".jxl is not read; convert it to PNG",
        "b.heif": ".heif is not read; convert it to PNG", "c.svg": ".svg is not read; convert it to PNG",
        "d.qoi": ".qoi is not read; convert it to PNG",
    }  # fmt: skip


def test_pictures_that_show_nothing(tmp_path: Path) -> None:
    save_pictures(tmp_path, 2)
    Image.new("RGBA", (20, 20), (90, 40, 30, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (20, 20), (90, 40, 30)).save(tmp_path / "flat.png")
    found = read_pictures(tmp_path, SIZE)
    assert unused_files(found) == {"clear.png": "all of it is transparent"}
    assert found.notes == ("1 of 3 pictures are of one colour, such as flat.png.",)


def test_contact_sheets_and_snapshots_are_no_data(tmp_path: Path) -> None:
    save_pictures(tmp_path, 2)
    for name in ("contact-sheet.jpg", "runs/snapshots/1.png", "other/contact-sheet.png", "made/contact-sheet-a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        make_noise(20, 20, len(name)).save(tmp_path / name)
    for name in ("index.jsonl", "made/index.jsonl", "runs/config.toml", "runs/data.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "sheet.png").write_bytes(encode_sheet(make_noise(20, 20, 99)))
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
        (root / "good.png").write_bytes(png_bytes())
        for i, path in enumerate(paths):
            file = root.joinpath(*path)
            if not file.exists() and not any(parent.is_file() for parent in file.parents):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content or png_bytes(i + 1))
        files = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
        found = read_pictures(root, SIZE)
    assert {record.file for record in found.records} == files
    assert count_files(found.records).used == len(found.names)
