"""Materials of one's own from a folder to files: train, resume, export, generate, mix, sliders, recipes, batches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

import ganassets_textures
from ganassets.api.manifest import METADATA_KEY
from ganassets.api.model_arrays import ARRAYS_KEY, pack_arrays
from ganassets.api.spec import with_overrides
from ganassets.cli import cli
from ganassets.training.onnx_export import open_session
from ganassets_textures import SPEC
from ganassets_textures.exemplars.noise import exemplar_noise
from support.exemplars import bricks, condition_row, stripes, write_set
from support.toy_runs import no_features

SHORT = ["--kimg", "0.01", "--threads", "1", "--device", "cpu", "--precision", "float32"]
SMALL = {"size": 32, "network_size": 32, "samples": 16}
TINY = replace(
    SPEC,
    presets=tuple(replace(preset, **SMALL) if preset.matching_weight else preset for preset in SPEC.presets),
)


def run(*args: str, code: int = 0) -> Result:
    """Run the command line in this process."""
    result = CliRunner().invoke(cli, args, prog_name="ganassets")
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def tiny() -> Iterator[pytest.MonkeyPatch]:
    """Small presets; no trial export and feature measures, which take longer than these runs."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ganassets_textures, "SPEC", TINY)
        patch.setattr("ganassets.training.run.check_export", lambda *arguments: None)
        patch.setattr("ganassets.training.evaluation.monitor.ImageFeatures", no_features)
        yield patch
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: pytest.MonkeyPatch) -> Path:
    """Make a folder with two sets, a run on them, and its model."""
    pytest.importorskip("efficientnet_lite_pytorch")
    folder = tmp_path_factory.mktemp("own")
    write_set(folder / "walls", replace(bricks(), name="rote, alte Wände"))
    write_set(folder / "walls", stripes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        output = run("train", "textures", "--data", "walls", "--out", "runs/textures-20260131-1", *SHORT).output
        assert "No height map: planks; flat everywhere stands in for it." in output
        run("export", "textures", "--onnx")
    return folder


@pytest.fixture
def here(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of the folder."""
    shutil.copytree(trained, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(np.int64)


@pytest.mark.slow
def test_the_model_knows_its_materials(here: Path) -> None:
    facts = json.loads(run("inspect", "textures", "--json").output)["manifest"]
    assert facts["conditions"][0]["choices"] == ["planks", "rote-alte-Wände"]
    assert facts["licence"] == "as the material sets given" and facts["noise"]["channels"] == 10
    assert "arrays" not in facts and max(facts["parity"]["max_abs_difference"].values()) < 1e-4
    help_text = run("generate", "textures", "--help").output
    assert (
        "planks|rote-alte-Wände" in "".join(help_text.split()) and "--relief" in help_text and "--wear" not in help_text
    )
    assert "no 'brick'" in run("generate", "textures", "--material", "brick", code=2).stderr


@pytest.mark.slow
def test_files_of_materials_and_mixtures(here: Path) -> None:
    run("generate", "textures", "-n", "2", "--size", "96x64", "-o", "made", "--material", "planks")
    run("generate", "textures", "-n", "1", "--set", "material=planks:0.5,rote-alte-Wände:0.5", "-o", "mixed")
    assert pixels("made/textures-00000001_baseColor.png").shape == (64, 96, 3)
    first, second = (pixels(f"made/textures-0000000{i}_baseColor.png") for i in (1, 2))
    assert not np.array_equal(first, second)
    colours = pixels("mixed/textures-00000001_baseColor.png").reshape(-1, 3)
    assert colours.std(0).min() > 10
    run("generate", "textures", "-n", "1", "--size", "70x64", "-o", "no", code=2)


@pytest.mark.slow
def test_sliders_do_what_they_say(here: Path) -> None:
    def maps(name: str, *options: str) -> dict[str, np.ndarray]:
        run("generate", "textures", "-n", "1", "--size", "64", "--material", "rote-alte-Wände", "-o", name, *options)
        return {key: pixels(f"{name}/textures-00000001_{key}.png") for key in ("baseColor", "normal", "orm")}

    plain = maps("plain")
    assert np.ptp(plain["normal"]) > 10 and np.ptp(plain["baseColor"], -1).max() > 30
    flat = maps("flat", "--relief", "0")
    assert np.abs(flat["normal"] - [128, 128, 255]).max() <= 1
    np.testing.assert_array_equal(flat["baseColor"], plain["baseColor"])
    grey = maps("grey", "--saturation", "0")
    assert np.ptp(grey["baseColor"], -1).max() == 0
    np.testing.assert_allclose(grey["baseColor"][..., 0], plain["baseColor"].mean(-1), atol=1.01)
    np.testing.assert_array_equal(grey["orm"], plain["orm"])
    turned = maps("turned", "--hue", str(1 / 3))
    inside = (plain["baseColor"].max(-1) < 255) & (plain["baseColor"].min(-1) > 0)
    np.testing.assert_allclose(turned["baseColor"][inside], plain["baseColor"][..., [2, 0, 1]][inside], atol=1)
    smooth = maps("smooth", "--roughness", "-0.2")
    np.testing.assert_allclose(smooth["orm"][..., 1], (plain["orm"][..., 1] - 51).clip(0), atol=1)
    assert not np.array_equal(maps("large", "--pieces", "1")["baseColor"], plain["baseColor"])


@pytest.mark.slow
def test_files_can_be_made_again(here: Path) -> None:
    run(
        "generate",
        "textures",
        "--seeds",
        "5",
        "--size",
        "64",
        "-o",
        "made",
        "--set",
        "material=planks:2,rote-alte-Wände:1",
    )
    file = Path("made/textures-00000005_baseColor.png")
    before = file.read_bytes()
    run("regenerate", str(file), "-o", "again")
    assert (Path("again") / file.name).read_bytes() == before


@pytest.mark.slow
def test_a_batch(here: Path) -> None:
    Path("jobs.toml").write_text(
        '[[job]]\nmodel = "textures"\nseeds = "1-2"\nsize = 64\n'
        '[job.sliders]\nmaterial = ["planks", "rote-alte-Wände"]\n',
        encoding="utf-8",
    )
    run("batch", "jobs.toml", "-o", "made", "--workers", "1")
    rows = [json.loads(line) for line in Path("made/index.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len([row for row in rows if row.get("files")]) == 4


@pytest.mark.slow
def test_a_resumed_run_continues(here: Path, tiny: pytest.MonkeyPatch) -> None:
    from ganassets.training.settings import read_settings, to_toml

    folder = here / "runs" / "textures-20260131-1"
    settings = read_settings(folder / "config.toml")
    longer = replace(settings, preset=with_overrides(settings.preset, kimg=0.014))
    (folder / "config.toml").write_text(to_toml(longer), encoding="utf-8")
    run("train", "--resume", str(folder))
    run("export", "textures", "--onnx")
    write_set(here / "walls", replace(stripes(), name="more"))
    assert "data" in run("train", "--resume", str(folder), code=2).stderr


@pytest.mark.slow
def test_the_exported_graph_rolls_exactly(here: Path) -> None:
    content = (here / "runs" / "textures-20260131-1" / "model.onnx").read_bytes()
    session = open_session(content)
    row = condition_row(0.5, 0.5, hue=0.2, relief=1.5)
    shapes = {item.name: item.shape for item in session.get_inputs()}
    inputs = {
        "z": np.zeros((1, shapes["z"][1]), np.float32),
        "condition": row[None],
        "truncation": np.ones(1, np.float32),
        "w_offset": np.zeros((1, *shapes["w_offset"][1:]), np.float32),
    }
    from ganassets.inference.model import open_model

    arrays = open_model(here / "runs" / "textures-20260131-1" / "model.onnx").manifest.arrays
    noise = exemplar_noise(3, row, (64, 48), arrays)
    names = ["albedo", "height", "roughness", "metallic"]
    made, rolled = (
        session.run(names, inputs | {"noise": values[None]}) for values in (noise, np.roll(noise, (12, -4), (1, 2)))
    )
    for name, before, after in zip(names, made, rolled, strict=True):
        np.testing.assert_array_equal(np.roll(np.asarray(before), (12, -4), (2, 3)), after, name)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "missing", "others"])
def test_damaged_exemplars_are_one_sentence(here: Path, damage: str) -> None:
    path = here / "runs" / "textures-20260131-1" / "model.onnx"
    proto = onnx.load(path)
    (entry,) = [entry for entry in proto.metadata_props if entry.key == ARRAYS_KEY]
    if damage == "missing":
        proto.metadata_props.remove(entry)
    else:
        entry.value = entry.value[:-100] if damage == "cut" else pack_arrays({"guide": np.zeros((3, 8), np.int8)})
    assert METADATA_KEY in {entry.key for entry in proto.metadata_props}
    onnx.save(proto, path)
    result = run("generate", "./runs/textures-20260131-1/model.onnx", "-n", "1", "-o", "made", code=2)
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1, result.stderr


@pytest.mark.slow
def test_one_set_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "wall", stripes(96, 70))
    run("train", "textures", "--data", "wall", "--out", "a", *SHORT)
    run("export", "./a", "--onnx")
    run("generate", "./a", "-n", "1", "--size", "64", "-o", "made")
    assert pixels("made/textures-00000001_baseColor.png").std() > 5


def test_presets_belong_to_a_kind_of_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "wall", stripes())
    error = run("train", "textures", "--data", "wall", "--preset", "quick", *SHORT, code=2).stderr
    assert "the preset quick is for painted materials; learn wall with --preset material or materials" in error
    error = run("train", "textures", "--preset", "material", *SHORT, code=2).stderr
    assert "the preset material is for your own materials; give a folder of them with --data" in error
    assert not list(tmp_path.glob("runs/*")), "no folder is left"
