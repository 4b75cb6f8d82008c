"""The user's pictures as training samples."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.api.data import TrainingData
from ganassets.api.data.records import COPY, UNREADABLE, count_files
from ganassets.api.errors import InputError
from ganassets_faces.portraits import SPEC
from ganassets_faces.portraits.dataset import FEW_PICTURES, MIN_PICTURES, premultiply_alpha
from support.sprites import write_sprites

TINY = replace(SPEC.presets[0], size=16, network_size=16)


def read(**options: Any) -> TrainingData:
    """Samples of 16 pixels."""
    return SPEC.dataset(TINY, {name: str(value) for name, value in options.items()}, 0, lambda done, total: None)


def test_samples_labels_and_shape(tmp_path: Path) -> None:
    data = read(data=write_sprites(tmp_path / "art"))
    assert len(data) == 16 and data.signals["colour"].shape == (16, 4, 16, 16)
    assert data.conditions_of is not None and [c.name for c in data.conditions_of] == ["label"]
    assert data.conditions_of[0].choices == ("elf", "orc")
    assert data.conditions.tolist() == [[1, 0]] * 8 + [[0, 1]] * 8
    assert data.constants["aspect"] == pytest.approx(0.75, abs=1e-5)
    assert data.notes[0] == "16 pictures with transparency, 0.75 times as wide as high."
    assert data.notes[1] == "Labels: elf 8, orc 8."
    assert "memorise" in data.notes[-1] and len(data.notes) == 3
    assert data.name == "pictures from art" and str(tmp_path) not in data.source


def test_pictures_without_labels_have_no_conditions(tmp_path: Path) -> None:
    write_sprites(tmp_path / "art", FEW_PICTURES // 2, opaque=True)
    data = read(data=tmp_path / "art", crop="centre")
    assert data.signals["colour"].shape[1] == 3 and data.notes[0] == "100 pictures, square."
    assert not any("memorise" in note for note in data.notes)
    shutil.rmtree(tmp_path / "art" / "orc")
    data = read(data=tmp_path / "art")
    assert data.conditions_of == () and data.conditions.shape == (50, 0)


def test_mirrored_copies(tmp_path: Path) -> None:
    folder = write_sprites(tmp_path / "art")
    once, twice = read(data=folder), read(data=folder, mirror="yes")
    colour = twice.signals["colour"]
    assert len(twice) == 2 * len(once) == 32 and len(read(data=folder, mirror="no")) == 16
    np.testing.assert_array_equal(colour[:16], once.signals["colour"])
    np.testing.assert_array_equal(colour[16:], once.signals["colour"][..., ::-1])
    np.testing.assert_array_equal(twice.conditions[16:], once.conditions)
    assert "mirrored" in twice.notes[0]


def test_colours_are_multiplied_by_alpha() -> None:
    pixels = np.zeros((1, 4, 1, 3), np.uint8)
    pixels[0, :3] = 200
    pixels[0, 3] = (0, 128, 255)
    assert premultiply_alpha(pixels)[0, :, 0].T.tolist() == [[0, 0, 0, 0], [100, 100, 100, 128], [200, 200, 200, 255]]
    assert premultiply_alpha(pixels[:, :3]) is not None and (premultiply_alpha(pixels[:, :3]) == pixels[:, :3]).all()


def test_left_out_files_are_recorded(tmp_path: Path) -> None:
    folder = write_sprites(tmp_path / "art")
    shutil.copy(folder / "elf" / "0.png", folder / "orc" / "zwilling.png")
    (folder / "orc" / "a.png").write_bytes(b"nothing")
    data = read(data=folder)
    assert dict(data.problems) == {
        "orc/a.png": "not a picture that can be read; make it PNG or JPEG",
        "orc/zwilling.png": "the same pixels as elf/0.png",
    }
    assert count_files(data.files).left_out == {COPY: 1, UNREADABLE: 1}


def test_error_of_too_few_pictures_explains_left_out_files(tmp_path: Path) -> None:
    for i in range(7):
        Image.new("RGB", (8, 8), (9, 0, 0)).save(tmp_path / f"{i}.png")
    (tmp_path / "a.heic").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        read(data=tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds too few different pictures that can be used (1 of 8 files); at least 8 are needed, and "
        "others are left out: 6 files: copy of another file, such as 1.png (the same pixels as 0.png); "
        "a.heic: .heic is not read; convert it to PNG."
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "give a folder or zip of them with --data DIR"),
        ({"data": "nowhere"}, "nowhere doesn't exist"),
        ({"data": ".", "crop": "round"}, "--crop is one of"),
        ({"data": ".", "mirror": "maybe"}, "--mirror takes yes or no"),
        ({"data": "."}, "no picture that can be used"),
        (
            {"data": "few"},
            rf"few holds too few different pictures .* \(7 of 7 files\); at least {MIN_PICTURES} are needed",
        ),
    ],
)
def test_wrong_options_give_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if options.get("data") == "few":
        Path("few").mkdir()
        for i in range(7):
            Image.new("RGB", (8, 8), (i, 0, 0)).save(f"few/{i}.png")
    with pytest.raises(InputError, match=text) as caught:
        read(**options)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
