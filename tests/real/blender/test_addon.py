"""The installed add-on in real Blenders: batches, faults, bad input, and two Blenders at once."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from ganassets.cli import cli
from ganassets.inference.model_search import shipped_models
from ganassets_blender import catalogs
from ganassets_blender.library import FOLDER, INDEX

pytestmark = pytest.mark.real

SCRIPT = "run_scenarios.py"
# The same as KINDS and SEEDS of the scenarios: arguments of the command line, and assets in each volume.
KINDS = {
    "textures": ("textures", "--size", "128"),
    "faces": ("faces",),
    "clips": ("poses", "--seconds", "0.5"),
    "poses": ("poses", "--pose", "0.5"),
}
VOLUMES = {"faces-0001.blend": 2, "poses-0001.blend": 2, "poses-0002.blend": 2, "textures-0001.blend": 2}
TYPES = {"textures": "Material", "faces": "Collection", "poses": "Action"}
FAULTS = (
    "killed",
    "killed_while_writing",
    "hung",
    "dying",
    "cancelled",
    "cancelled_while_writing",
    "cancelled_in_an_asset",
    "paused",
    "paused_too_late",
    "preview_lost",
    "switched",
    "sizes",
    "idle",
    "disabled",
)
REFUSALS = ("strangers", "model_removed", "library_is_a_file", "odd_paths", "command_line", "relative_paths")
MEANWHILE = (
    "edit_mode",
    "linked",
    "clip_on_armature",
    "clip_on_nothing",
    "file_closed_while_placing",
    "undone_while_placing",
    "unfit",
)
# Maximum number of ticks (20 ms) until a dead or hung process is noticed.
NOTICE_TICKS = 100
# Maximum number of ticks (20 ms) until a process that does not stop is killed.
STOP_TICKS = 200
CATALOG = re.compile(r"^([0-9a-f-]{36}):(GAN Assets/[^:]+):", re.MULTILINE)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests, by file name, of the images and vertices that the command line generates for the same seeds."""
    folder, found = tmp_path_factory.mktemp("expected"), {}
    for kind, (generator, *words) in KINDS.items():
        for to in ("images", "parts") if kind == "textures" else ("parts",):
            out = folder / kind / to
            command = ["generate", generator, "--seeds", "3-4", *words, "--to", to, "--no-preview", "-o", str(out)]
            done = CliRunner().invoke(cli, command)
            assert done.exit_code == 0, done.output
    for path in folder.glob("*/*/*.png"):
        data = path.read_bytes()
        found[path.name if path.parent.name == "images" else f"parts {path.name}"] = pixels(data)
    for path in folder.glob("*/*/*.npz"):
        with np.load(path) as arrays:
            found[path.name] = hashlib.sha256(arrays["positions"].tobytes()).hexdigest()
    return found


def pixels(png: bytes) -> str:
    """SHA-256 of a PNG's compressed pixels; the texts before them contain the format."""
    return hashlib.sha256(png[png.index(b"IDAT") :]).hexdigest()


@pytest.fixture(scope="module")
def batch(extended: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Report of the scenario "batch" in each Blender, and its folder."""
    folder = tmp_path_factory.mktemp(f"batch-{extended.version}")
    return extended(SCRIPT, folder, "batch")["batch"], folder


@pytest.fixture(scope="module")
def volumes(
    batch: tuple[dict[str, Any], Path], newest_blender: tuple[str, ...], in_blender: Callable[..., Any]
) -> dict[str, list[dict[str, Any]]]:
    """Assets that the newest Blender finds in the library that each Blender has written."""
    return in_blender(newest_blender, SCRIPT, batch[1], "reopened")["reopened"]


def test_a_library_gets_each_asset_once(batch: tuple[dict[str, Any], Path]) -> None:
    report, folder = batch
    first, again = report["added"]
    assert first == [[2, 0]] * len(KINDS)
    assert again == [[0, 2]] * len(KINDS)
    assert report["untouched"], "a job for a library changes nothing in the file that is open"
    names = sorted(path.name for path in (folder / "library" / FOLDER).iterdir())
    assert names == sorted([*VOLUMES, INDEX])


def test_another_blender_finds_the_assets(
    batch: tuple[dict[str, Any], Path], volumes: dict[str, list[dict[str, Any]]]
) -> None:
    assert {name: len(assets) for name, assets in volumes.items()} == VOLUMES
    listed = dict(CATALOG.findall((batch[1] / "library" / catalogs.FILE).read_text()))
    assert len(listed) == len(set(listed.values()))
    for name, assets in volumes.items():
        kind = name.partition("-")[0]
        for asset in assets:
            assert asset["type"] == TYPES[kind]
            assert listed[str(uuid.UUID(asset["catalog"]))].startswith("GAN Assets/")
            assert len(asset["tags"]) >= 2
            assert asset["author"] == "An Author" and asset["licence"] in ("A licence", "")
            assert asset["preview"] == [256, 256] and asset["pixels"]
            assert {"Seed", "Recipe", "Model", "Author", "Licence"} <= set(asset["from"])


def test_one_seed_is_the_same_in_a_library_in_the_scene_and_from_the_command_line(
    batch: tuple[dict[str, Any], Path], volumes: dict[str, list[dict[str, Any]]], expected: dict[str, str]
) -> None:
    textures = [block["materials"][0] for block in batch[0]["grids"]["textures"]["blocks"]]
    textures += [asset["material"] for asset in volumes["textures-0001.blend"]]
    names = [name for made in textures for name, digest in made["pictures"].items() if expected[name] == digest]
    assert len(names) == 2 * 2 * 4 and len(set(names)) == 2 * 4
    heads = [block for block in batch[0]["grids"]["faces"]["blocks"] if "vertices" in block]
    heads += [block for asset in volumes["faces-0001.blend"] for block in asset["blocks"] if "vertices" in block]
    shapes = {expected["faces-00000003.npz"], expected["faces-00000004.npz"]}
    assert len(heads) == 4 and {head["vertices"] for head in heads} == shapes
    skins = {name: digest for head in heads for made in head["materials"] for name, digest in made["pictures"].items()}
    assert len(skins) == 4
    assert all(expected[f"parts {name}"] == digest for name, digest in skins.items())


def test_what_lands_in_the_scene(batch: tuple[dict[str, Any], Path]) -> None:
    grids = batch[0]["grids"]
    assert all(len(grid["places"]) == 2 for grid in grids.values()), "side by side"
    assert grids["textures"]["types"] == ["MESH"] * 2
    for block in grids["textures"]["blocks"]:
        assert {"BSDF_PRINCIPLED", "NORMAL_MAP", "DISPLACEMENT", "MAPPING"} <= set(block["materials"][0]["nodes"])
    assert grids["faces"]["types"] == ["ARMATURE"] * 2 + ["MESH"] * 2
    for block in grids["faces"]["blocks"]:
        if "vertices" in block:
            assert block["keys"] == 52 and block["modifiers"] == [["ARMATURE", "ARMATURE"]] and block["groups"] == 5
    for kind in ("clips", "poses"):
        performers = [block for block in grids[kind]["blocks"] if "bones" in block]
        assert len(performers) == 2
        assert all(block["action"] and block["slot"] for block in performers)


@pytest.fixture(scope="module")
def faults(extended_thorough: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Reports of the scenarios with faults."""
    return extended_thorough(SCRIPT, tmp_path_factory.mktemp("faults"), *FAULTS)


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_a_job_outlives_its_process(faults: dict[str, Any], fault: str) -> None:
    found = faults[fault]
    assert found["noticed"] < NOTICE_TICKS
    assert found["ended"] == ["done", ""] and found["made"] == 16
    assert found["kept"], "existing files are not written again"
    assert found["left"], "no process is left over"


def test_no_thread_runs_in_blender(faults: dict[str, Any]) -> None:
    assert faults["killed"]["threads"] == 1, "some Blenders crash if one does"
    assert faults["killed"]["placed"] == 16


def test_a_job_outlives_the_processes_that_write_a_library(faults: dict[str, Any]) -> None:
    found = faults["killed_while_writing"]
    assert found["ended"] == ["done", ""] and found["left"]
    assert found["result"]["new"] == 16
    assert found["offered"] == 16
    assert found["files"] == [catalogs.FILE, f"{FOLDER}/{INDEX}", f"{FOLDER}/textures-0001.blend"]


def test_a_process_that_always_dies_is_given_up_until_the_user_tries_again(faults: dict[str, Any]) -> None:
    state, error, _ = faults["dying"]["ended"]
    assert state == "failed"
    assert re.fullmatch(r"the process that makes assets ended with code -9, 4 times in a row\.", error)
    assert faults["dying"]["again"] == ["done", "", 2]


@pytest.mark.parametrize("when", ["cancelled", "cancelled_while_writing", "cancelled_in_an_asset"])
def test_a_cancelled_job_leaves_nothing(faults: dict[str, Any], when: str) -> None:
    found = faults[when]
    assert found["state"] == "cancelled" and found["note"] == ""
    assert found["took"] < STOP_TICKS
    assert found["left"], "no process is left over"
    assert found["nothing"], "neither in the file nor in the library"


def test_a_paused_job_continues(faults: dict[str, Any]) -> None:
    found = faults["paused"]
    assert found["still"] == "paused" and found["ended"] == ["done", ""] and found["made"] == 16 and found["kept"]


def test_a_job_that_is_paused_when_all_is_made_places_nothing(faults: dict[str, Any]) -> None:
    assert faults["paused_too_late"] == {"still": "paused", "nothing": True, "ended": ["done", ""]}


def test_thumbnails_can_be_asked_for_again_when_the_process_died(faults: dict[str, Any]) -> None:
    found = faults["preview_lost"]
    died = ["the process that makes assets ended with code -9.", True]
    assert found["said"] == [died, died, ["", False]] and found["shown"] == list(range(500, 512))


def test_sliders_of_one_model_do_not_set_those_of_another(faults: dict[str, Any]) -> None:
    found = faults["switched"]
    assert found.keys() == {"textures", "poses", "faces"}
    assert all(looks == {"sliders": {}, "settings": {}} for times in found.values() for looks in times)


def test_thumbnails_are_of_small_materials(faults: dict[str, Any]) -> None:
    assert faults["sizes"] == ["256", "256", "1024", "512", "4096x16", "512x16", "768x1024", "384x512"]


def test_memory_is_given_back(faults: dict[str, Any]) -> None:
    assert faults["idle"] == {"early": True, "left": True}


def test_a_job_outlives_blender(faults: dict[str, Any]) -> None:
    found = faults["disabled"]
    assert found["left"], "no process outlives it"
    assert found["found"] == ["paused", "Blender was closed"]
    assert found["ended"] == ["done", ""] and found["result"]["new"] == 16


@pytest.fixture(scope="module")
def refusals(extended_thorough: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Reports of the scenarios with bad input."""
    folder = tmp_path_factory.mktemp("refusals")
    write_strangers(folder / "strangers")
    return extended_thorough(SCRIPT, folder, *REFUSALS)


@pytest.fixture(scope="module")
def meanwhile(extended: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Reports, in each Blender, of the scenarios in which the user edits, undoes and opens files."""
    return extended(SCRIPT, tmp_path_factory.mktemp("meanwhile"), *MEANWHILE)


def write_strangers(folder: Path) -> None:
    """Write files that are not models but have the suffix of one."""
    folder.mkdir()
    (model,) = shipped_models("textures")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "foreign",
        [value("x", onnx.TensorProto.FLOAT, [1])],
        [value("y", onnx.TensorProto.FLOAT, [1])],
    )
    (folder / "foreign.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    (folder / "cut.onnx").write_bytes(model.read_bytes()[:100_000])
    (folder / "empty.onnx").touch()
    (folder / "pickle.onnx").write_bytes(pickle.dumps({"weights": [1.0]}))


def test_files_that_are_no_models(refusals: dict[str, Any]) -> None:
    found = refusals["strangers"]
    words = {
        "foreign.onnx": "was not made by ganassets",
        "cut.onnx": "is not a whole ONNX file",
        "empty.onnx": "is empty",
        "pickle.onnx": "is not a whole ONNX file",
    }
    assert found["said"].keys() == words.keys()
    for name, text in words.items():
        assert name in found["said"][name] and text in found["said"][name] and found["said"][name].endswith(".")
    assert found["paths"] == [] and found["models"] == ["faces", "poses", "textures"]
    assert words["pickle.onnx"] in found["operator"][0]
    assert found["works"] == ["FINISHED"]


def test_a_model_that_goes_away(refusals: dict[str, Any]) -> None:
    found = refusals["model_removed"]
    state, error, about = found["ended"]
    assert (state, about) == ("failed", "model") and "Mein Modell.onnx is not there" in error
    assert "same kind of asset" in found["refusal"]
    assert found["again"] == ["done", ""] and found["result"]["new"] == 8


def test_libraries_with_odd_paths(refusals: dict[str, Any]) -> None:
    assert "a file has that name" in refusals["library_is_a_file"]["said"][0]
    assert refusals["odd_paths"]["said"] == ["FINISHED"]
    assert refusals["odd_paths"]["files"] == [catalogs.FILE, f"{FOLDER}/{INDEX}", f"{FOLDER}/textures-0001.blend"]


def test_paths_relative_to_the_file_that_is_open(refusals: dict[str, Any]) -> None:
    found = refusals["relative_paths"]
    assert found["said"] == [["FINISHED"]] * 2
    assert found["listed"].count(f"{found['folder']}/mine.onnx") == 1
    assert found["kept"] == [f"{found['folder']}/library", f"{found['folder']}/models"]


def test_an_unsuitable_blender_is_reported(meanwhile: dict[str, Any]) -> None:
    said = meanwhile["unfit"]
    ours = "GAN Assets supports Python 3.11 and 3.13 only and can't run in Blender"
    assert ours in said["python"] or re.search(r"isn't compatible with \(3\.1[13], 3\.1[13]\)", said["python"]), said
    assert "GAN Assets needs numpy, which Blender" in said["numpy"]


def test_a_user_can_keep_editing_a_mesh(meanwhile: dict[str, Any]) -> None:
    found = meanwhile["edit_mode"]
    assert found["said"] == [["FINISHED"]] * len(KINDS)
    assert found["before"] == found["after"] and found["before"][0] == "EDIT_MESH"


def test_linked_data_is_left_alone(meanwhile: dict[str, Any]) -> None:
    found = meanwhile["linked"]
    assert found["said"] == ["FINISHED"]
    assert found["note"] == "no material for bare, linked"
    assert found["slots"] == [["DATA", True], ["OBJECT", True]]
    assert "none of the selected objects can have a material of this file" in found["alone"][0]


def test_a_clip_on_an_armature_of_the_users(meanwhile: dict[str, Any]) -> None:
    found = meanwhile["clip_on_armature"]
    assert found["said"] == ["FINISHED"] and found["slot"]
    assert found["off"] < 1e-4 and found["moves"] > 0.05, "metres"
    assert "Select an armature first." in meanwhile["clip_on_nothing"]["said"][0]


def test_a_job_waits_when_its_file_is_closed(meanwhile: dict[str, Any]) -> None:
    found = meanwhile["file_closed_while_placing"]
    note = "The file was closed. Resume places the assets in the file that is open now"
    assert found["found"] == [[note, "done", "", 6]] * 2
    assert found["panel"] == ["7-9", "GRID", True], "the panel keeps its values"


def test_an_undo_takes_back_what_the_user_did_and_no_more(meanwhile: dict[str, Any]) -> None:
    found = meanwhile["undone_while_placing"]
    assert found["found"] == [[found["before"], True], [5.0, True]]
    assert found["ended"] == ["done", ""]
    assert found["types"] == ["ARMATURE"] * 3 + ["MESH"] * 3 and found["keys"] == [53] * 3
    assert found["heads"] == 3, "no part of unfinished heads remains"


def test_the_command_line_inside_blender(refusals: dict[str, Any]) -> None:
    found = refusals["command_line"]
    assert found["codes"] == [0, 2, 0]
    assert len([name for name in found["files"] if name.endswith(".png")]) == 8


def test_a_full_disk(extended: Any, small_disk: tuple[str, ...], tmp_path: Path) -> None:
    found = extended(SCRIPT, tmp_path, "full", before=small_disk)["full"]
    errors = [error for _, error, _ in found["said"]]
    assert [[state, about] for state, _, about in found["said"]] == [["failed", "library"]] * 4
    assert all("no space left" in error.lower() and error.endswith(".") for error in errors), errors
    assert any("can't write in" in error for error in errors)
    assert any("Blender couldn't write" in error for error in errors)
    assert found["readable"] == [2]
    state, error, result = found["again"]
    assert (state, error, result["new"]) == ("done", "", 4)
    assert found["files"] == [
        catalogs.FILE,
        f"{FOLDER}/{INDEX}",
        f"{FOLDER}/textures-0001.blend",
        f"{FOLDER}/textures-0002.blend",
    ]


def test_two_blenders_add_to_one_library(
    extended_thorough: Any, newest_blender: tuple[str, ...], in_blender: Callable[..., Any], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(extended_thorough, SCRIPT, tmp_path, name) for name in ("adding_low", "adding_high")]
    assert [future.result() for future in futures] == [{"adding_low": ["FINISHED"]}, {"adding_high": ["FINISHED"]}]
    lines = [json.loads(line) for line in (tmp_path / "library" / FOLDER / INDEX).read_text().splitlines()]
    keys = [key for line in lines for key in line.get("assets", ())]
    assert len(keys) == len(set(keys)) == 16
    volumes = in_blender(newest_blender, SCRIPT, tmp_path, "reopened")["reopened"]
    assets = [asset for found in volumes.values() for asset in found]
    assert len(assets) == 16
    listed = dict(CATALOG.findall((tmp_path / "library" / catalogs.FILE).read_text()))
    assert {asset["catalog"] for asset in assets} == listed.keys()
