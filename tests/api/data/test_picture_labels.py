"""Labels of pictures: from folders, zips and dataset.json."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.data.labels import FolderLabels, folder_labels, label_name
from ganassets.api.data.pictures import (
    label_counts,
    read_pictures,
)
from support.picture_files import SIZE, png_bytes, save_pictures, unused_files
from support.zip_files import write_zip


def test_first_folders_are_labels(tmp_path: Path) -> None:
    save_pictures(tmp_path / "Dark Elf" / "more", 2)
    save_pictures(tmp_path / "orc", 3, start=10)
    found = read_pictures(tmp_path, SIZE)
    assert found.classes == ("dark-elf", "orc") and label_counts(found) == {"dark-elf": 2, "orc": 3}
    assert found.labels is not None and found.labels.tolist() == [0, 0, 1, 1, 1]


def test_zips_and_wrapped_folders_are_labels(tmp_path: Path) -> None:
    write_zip(tmp_path / "Elves.zip", {"a/1.png": png_bytes(1), "b/2.png": png_bytes(2)})
    write_zip(tmp_path / "Orcs.zip", {"1.png": png_bytes(3)})
    assert read_pictures(tmp_path, SIZE).classes == ("elves", "orcs")
    wrapped = write_zip(tmp_path / "in.ZIP", {"data/set/elf/1.png": png_bytes(1), "data/set/orc/1.png": png_bytes(2)})
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
def test_unused_labels_are_reported(names: list[str], note: str) -> None:
    assert folder_labels(names) == FolderLabels(None, (note,))


@pytest.mark.parametrize("stray", ["cover.png", "data/cover.png"])
def test_a_stray_picture_is_left_out(tmp_path: Path, stray: str) -> None:
    save_pictures(tmp_path / "data" / "elf", 6)
    save_pictures(tmp_path / "data" / "orc", 6, start=6)
    (tmp_path / stray).write_bytes(png_bytes(20))
    found = read_pictures(tmp_path, SIZE)
    assert label_counts(found) == {"elf": 6, "orc": 6}
    assert unused_files(found) == {stray: "lies in no label's folder"}


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
    labels_found = folder_labels(names)
    assert Counter(labels_found.labels or ()) == labels and not labels_found.notes


def test_labels_stay_distinct_in_any_script() -> None:
    names = ["c++/1.png", "c#/1.png", "Dark Elf/1.png", "dark_elf/1.png", "エルフ/1.png", "эльф/1.png", "हिन्दी/1.png"]
    labels_found = folder_labels(names)
    assert labels_found.labels == ("c-2", "c", "dark-elf", "dark-elf", "エルフ", "эльф", "हिन्दी")
    assert labels_found.notes == (
        "The folder c++ has the label c-2, because another one is called c already.",
        "The folder dark_elf shares the label dark-elf with another one.",
    )


@given(st.text(max_size=20))
def test_label_names_can_be_typed(folder: str) -> None:
    name = label_name(folder)
    assert name and not set(name) & set(" ,:=/_")


def test_a_class_whose_pictures_are_all_broken_is_gone(tmp_path: Path) -> None:
    save_pictures(tmp_path / "elf", 2)
    (tmp_path / "orc").mkdir()
    (tmp_path / "orc" / "a.png").write_bytes(png_bytes(9)[:600])  # its header can be read
    found = read_pictures(tmp_path, SIZE)
    assert found.classes == () and found.labels is None and len(unused_files(found)) == 1


def dataset_zip(path: Path, content: object) -> Path:
    """A zip as StyleGAN's tools make it: twelve pictures in folders that mean nothing."""
    files = {f"{i % 2:05d}/img{i:08d}.png": png_bytes(i) for i in range(12)}
    return write_zip(path, {**files, "dataset.json": json.dumps(content).encode()})


def test_labels_of_a_dataset_json(tmp_path: Path) -> None:
    labels = [[f"{i % 2:05d}/img{i:08d}.png", [0, 2, 10][i % 3]] for i in range(12)]
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": labels}), SIZE)
    assert found.classes == ("0", "2", "10") and label_counts(found) == {"0": 4, "2": 4, "10": 4}
    name = found.names.index("00001/img00000005.png")
    assert found.labels is not None and found.classes[found.labels[name]] == "10"
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": labels[:-1]}), SIZE)
    assert unused_files(found) == {"00001/img00000011.png": "dataset.json gives it no label"}


def test_a_dataset_json_without_labels(tmp_path: Path) -> None:
    found = read_pictures(dataset_zip(tmp_path / "a.zip", {"labels": None}), SIZE)
    assert found.classes == () and not unused_files(found) and not found.notes
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
    assert "not labels such as" in unused_files(found)["dataset.json"]
