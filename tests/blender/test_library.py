"""Asset libraries, with a stand-in for the Blender that writes volumes: their content, also after errors and kills."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import ganassets_blender.library as library
from ganassets.api.blender import VARIABLE
from ganassets.api.errors import GanassetsError, InputError
from ganassets.inference.batch.engine import BatchSettings
from ganassets.inference.batch.plan import Plan
from ganassets.inference.jobs import plan_requests
from ganassets.inference.request import GenerationRequest
from ganassets_blender.catalogs import FILE
from ganassets_blender.library import FOLDER, INDEX, LibraryIndex, LibraryTerms, add_to_library
from support import stand_in_blender

# A volume is a JSON file with the titles of its cards.
STAND_IN = """
import json, os, sys
for line in sys.stdin:
    request = json.loads(line)
    cards = [json.load(open(card, encoding="utf-8")) for card in request["cards"]]
    if request["author"] == "dies":
        print("an Error of its own", file=sys.stderr); sys.exit(3)
    if request["author"] == "dies once" and not os.path.exists("died"):
        open("died", "w").close(); os._exit(3)
    error = "no room" if request["author"] == "fails" else ""
    if not error:
        with open(request["file"], "w", encoding="utf-8") as file:
            json.dump({"titles": [card["title"] for card in cards], "catalogs": request["catalogs"]}, file)
    print("GANASSETS " + json.dumps({"error": error, "count": len(cards)}), flush=True)
"""
ONE = BatchSettings(workers=1, trusted=True)


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(library, "SCRIPT", script)
    monkeypatch.setattr(library, "MAX_ASSETS", 3)
    stand_in_blender.stand_in(monkeypatch, tmp_path / "modules", sys.executable)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "Bücher und Stoffe"


def plan(seeds: str = "1-7", **more: Any) -> Plan:
    request = GenerationRequest(model="textures", to="parts", seeds=seeds, size="32", **more)
    return plan_requests([request])


def titles(home: Path) -> list[list[str]]:
    """Titles in each volume, in order."""
    return [json.loads(path.read_text())["titles"] for path in sorted((home / FOLDER).glob("*.blend"))]


def numbers(home: Path) -> list[int]:
    """Seeds of all assets, in order."""
    return [int(title.rpartition(" ")[2]) for volume in titles(home) for title in volume]


def test_volumes_have_a_limited_number_of_assets(home: Path) -> None:
    heard: list[tuple[int, int]] = []
    added = add_to_library(plan(), home, LibraryTerms(), ONE, lambda *step: heard.append(step))
    assert (added.new, added.there, added.failures) == (7, 0, [])
    assert [path.name for path in added.volumes] == [f"textures-000{n}.blend" for n in (1, 2, 3)]
    assert [len(volume) for volume in titles(home)] == [3, 3, 1] and numbers(home) == [1, 2, 3, 4, 5, 6, 7]
    assert heard[0] == (1, 7) and heard[-1] == (7, 7)
    left = sorted(path.name for path in (home / FOLDER).iterdir())
    assert left == [INDEX, *(path.name for path in added.volumes)], "no other file remains"
    assert (home / FILE).is_file()


def test_volumes_have_a_limited_size(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MAX_BYTES", 1)
    add_to_library(plan("1-3"), home, LibraryTerms(), ONE)
    assert [len(volume) for volume in titles(home)] == [1, 1, 1]


def test_running_twice_adds_nothing_twice(home: Path) -> None:
    add_to_library(plan("1-3"), home, LibraryTerms(), ONE)
    again = add_to_library(plan("1-3"), home, LibraryTerms(), ONE)
    assert (again.new, again.there, again.volumes) == (0, 3, [])
    more = add_to_library(plan("2-5"), home, LibraryTerms(), ONE)
    assert (more.new, more.there) == (2, 2) and numbers(home) == [1, 2, 3, 4, 5]


def test_a_volume_that_the_user_removed_is_made_again(home: Path) -> None:
    (volume,) = add_to_library(plan("1-3"), home, LibraryTerms(), ONE).volumes
    volume.unlink()
    assert add_to_library(plan("1-3"), home, LibraryTerms(), ONE).new == 3


def test_a_stopped_job_continues(home: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_to_library(plan(), home, LibraryTerms(), ONE, stop)
    assert all(len(volume) == 3 for volume in titles(home)), "only complete volumes"
    made: list[int] = []
    add_to_library(plan(), home, LibraryTerms(), ONE, lambda done, total: made.append(done))
    assert sorted(numbers(home)) == [1, 2, 3, 4, 5, 6, 7]
    assert made[0] > 4, "finished assets are not generated again"


def test_a_volume_that_was_announced_and_not_recorded_is_replaced(home: Path) -> None:
    with LibraryIndex(home) as index:
        path = index.announce("textures")
        path.write_text("half of it")
    add_to_library(plan("1-3"), home, LibraryTerms(), ONE)
    assert titles(home) == [titles(home)[0]] and numbers(home) == [1, 2, 3]


def test_a_users_file_is_not_replaced(home: Path) -> None:
    (home / FOLDER).mkdir(parents=True)
    (home / FOLDER / "textures-0001.blend").write_text("mine")
    (volume,) = add_to_library(plan("1-2"), home, LibraryTerms(), ONE).volumes
    assert volume.name == "textures-0002.blend"
    assert (home / FOLDER / "textures-0001.blend").read_text() == "mine"


def test_an_index_that_was_cut_off(home: Path) -> None:
    add_to_library(plan("1-3"), home, LibraryTerms(), ONE)
    index = home / FOLDER / INDEX
    index.write_bytes(index.read_bytes() + b'{"volume": "textu')
    assert add_to_library(plan("1-4"), home, LibraryTerms(), ONE).new == 1
    assert all(json.loads(line) for line in index.read_text().splitlines())


@pytest.mark.parametrize("line", ["nonsense", '{"volume": 7}', '{"volume": "../x-1.blend", "assets": {}}', "[]"])
def test_a_damaged_index_is_an_error(home: Path, line: str) -> None:
    add_to_library(plan("1"), home, LibraryTerms(), ONE)
    index = home / FOLDER / INDEX
    index.write_text(line + "\n" + index.read_text())
    with pytest.raises(InputError, match="damaged in line 1"):
        add_to_library(plan("2"), home, LibraryTerms(), ONE)


def test_a_blender_that_dies_once_is_replaced(home: Path) -> None:
    assert add_to_library(plan("1-3"), home, LibraryTerms(author="dies once"), ONE).new == 3


def test_a_blender_that_always_dies(home: Path) -> None:
    with pytest.raises(GanassetsError, match="an Error of its own"):
        add_to_library(plan("1-2"), home, LibraryTerms(author="dies"), ONE)
    assert titles(home) == [] and not list((home / FOLDER).glob(".*"))
    assert add_to_library(plan("1-2"), home, LibraryTerms(), ONE).new == 2


def test_blenders_error_is_reported(home: Path) -> None:
    with pytest.raises(GanassetsError, match=r"couldn't write the library .*: no room"):
        add_to_library(plan("1-2"), home, LibraryTerms(author="fails"), ONE)


def test_without_a_blender(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/blender")
    with pytest.raises(InputError, match="asset libraries need Blender"):
        add_to_library(plan("1"), home, LibraryTerms(), ONE)
    assert not home.exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a file has that name"):
        add_to_library(plan("1"), tmp_path / "file", LibraryTerms(), ONE)


def test_images_that_are_not_packed_stay(home: Path) -> None:
    add_to_library(plan("1-2"), home, LibraryTerms(pack=False), ONE)
    (parts,) = (home / FOLDER).glob("parts-*")
    names = sorted(path.name for path in parts.iterdir())
    assert len(names) == 8 and all(name.endswith(".png") and "thumb" not in name for name in names)
    assert add_to_library(plan("1-2"), home, LibraryTerms(pack=False), ONE).new == 0
    assert sorted(path.name for path in parts.iterdir()) == names


def test_parts_that_cannot_be_removed_are_no_failure(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".png":
            raise PermissionError(13, "in use", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert add_to_library(plan("1-2"), home, LibraryTerms(), ONE).new == 2


def test_two_at_once_wait_for_each_other(home: Path) -> None:
    done: list[int] = []
    with LibraryIndex(home):
        heard: list[str] = []
        second = threading.Thread(
            target=lambda: done.append(add_to_library(plan("1-2"), home, LibraryTerms(), ONE, report=heard.append).new)
        )
        second.start()
        while not heard:
            time.sleep(0.01)
        assert "Another Blender is adding to" in heard[0] and not done
    second.join()
    assert done == [2]


def test_waiting_can_be_stopped(home: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with LibraryIndex(home), pytest.raises(KeyboardInterrupt):
        add_to_library(plan("1-2"), home, LibraryTerms(), ONE, stop)


def test_other_sliders_are_other_assets(home: Path) -> None:
    add_to_library(plan("1"), home, LibraryTerms(), ONE)
    assert add_to_library(plan("1", sliders={"material": "brick"}), home, LibraryTerms(), ONE).new == 1


def test_files_of_a_killed_blender_are_removed(home: Path) -> None:
    names = (".0123456789abcdef.tmp", ".fedcba9876543210.tmp@", "notes.tmp")
    (home / FOLDER).mkdir(parents=True)
    for name in names:
        (home / FOLDER / name).touch()
    with LibraryIndex(home):
        pass
    assert [name for name in names if (home / FOLDER / name).exists()] == ["notes.tmp"]
