"""The portraits generator from a folder of pictures to new ones: train, resume, export, generate by label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import ganassets_faces.portraits as portraits
from ganassets.cli import cli
from support.sprites import write_sprites

SHORT = ["--kimg", "0.032", "--threads", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Presets of small networks, and an empty folder to work in."""
    torch = pytest.importorskip("torch")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    small = replace(portraits.QUICK, size=16, network_size=16, width=8, max_width=16, components=4, z_dim=8)
    monkeypatch.setattr(portraits, "SPEC", replace(portraits.SPEC, presets=(small,)))
    monkeypatch.chdir(tmp_path)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train without trial export and feature network, which take longer than these runs; one test keeps them."""
    from support.toy_runs import no_features

    monkeypatch.setattr("ganassets.training.run.check_export", lambda *arguments: None)
    monkeypatch.setattr("ganassets.training.evaluation.monitor.ImageFeatures", no_features)


def run(*args: str, code: int = 0) -> Result:
    """Run the command line in this process."""
    result = CliRunner().invoke(cli, args, prog_name="ganassets")
    assert result.exit_code == code, result.output
    return result


@pytest.mark.slow
def test_labels_are_choices_of_the_model(tmp_path: Path) -> None:
    write_sprites(tmp_path / "art")
    result = run("train", "portraits", "--data", "art", "--out", "runs/portraits-20260131-1", *SHORT)
    assert "Labels: elf 8, orc 8." in result.output
    run("export", "runs/portraits-20260131-1", "--onnx")
    manifest = json.loads(run("inspect", "portraits", "--json").output)["manifest"]
    assert [(c["name"], c["choices"]) for c in manifest["conditions"]] == [("label", ["elf", "orc"])]
    assert "--label" in run("generate", "portraits", "--help").output
    run("generate", "portraits", "-n", "3", "--label", "orc", "-o", "made")
    for seed in (1, 2, 3):
        with Image.open(f"made/portraits-{seed:08d}.png") as image:
            assert image.mode == "RGBA" and image.size == (12, 16)
            assert json.loads(image.info["Sliders"]) == {"label:elf": 0, "label:orc": 1}
    assert "label has no 'elk'" in run("generate", "portraits", "--label", "elk", code=2).stderr
    run("generate", "runs/portraits-20260131-1/model.onnx", "--set", "label=elf:1,orc:1", "-n", "1", "-o", "mixed")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_training")
def test_pictures_without_labels_or_transparency(tmp_path: Path) -> None:
    write_sprites(tmp_path / "art", opaque=True)
    (tmp_path / "art" / "elf").rename(tmp_path / "elves")
    run("train", "portraits", "--data", "elves", "--out", "a", *SHORT)
    run("export", "./a", "--onnx")
    run("generate", "./a", "-n", "2", "-o", "made", "--format", "webp")
    with Image.open("made/portraits-00000001.webp") as image:
        assert image.mode == "RGB" and np.asarray(image).std() > 5
    assert "no slider 'label'" in run("generate", "./a", "--set", "label=elf", code=2).stderr


@pytest.mark.slow
@pytest.mark.usefixtures("quick_training")
def test_resume_needs_the_same_labels(tmp_path: Path) -> None:
    from ganassets.training.settings import read_settings, to_toml

    write_sprites(tmp_path / "art")
    run("train", "portraits", "--data", "art", "--out", "a", *SHORT)
    settings = read_settings(tmp_path / "a" / "config.toml")
    (tmp_path / "a" / "config.toml").write_text(to_toml(replace(settings, preset=replace(settings.preset, kimg=0.064))))
    (tmp_path / "art" / "elf").rename(tmp_path / "art" / "fairy")
    assert "data have changed" in run("train", "--resume", "a", code=2).stderr
    (tmp_path / "art" / "fairy").rename(tmp_path / "art" / "elf")
    run("train", "--resume", "a")


def test_missing_data_is_one_error_line() -> None:
    result = run("train", "portraits", *SHORT, code=2)
    assert "--data DIR" in result.stderr and result.stderr.count("\n") == 1
