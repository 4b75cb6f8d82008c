"""The Python API: the same assets as the command line, errors in one sentence, nothing heavy on import."""

from __future__ import annotations

import doctest
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ganassets
from ganassets.api.errors import InputError
from support.command_line import run, run_python
from support.sprites import write_sprites

HEAVY = ("numpy", "torch", "onnxruntime", "onnx", "pydantic", "PIL", "rich", "click")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "index.jsonl"}


@pytest.mark.parametrize(
    ("model", "values", "to", "options", "command"),
    [
        ("faces", {"age": 70}, "gltf", {"morphs": False}, ["--age", "70", "--option", "morphs=no"]),
        ("textures", {"size": "64x128", "material": "brick"}, "unity", {}, ["--size", "64x128", "--material", "brick"]),
        ("poses", {"action": "walk", "seconds": 1.0}, "bvh", {"rig": "mixamo"},
         ["--action", "walk", "--seconds", "1", "--rig", "mixamo"]),
    ],
)  # fmt: skip
def test_saved_files_equal_those_of_the_command(model, values, to, options, command, tmp_path):
    for asset in ganassets.generate(model, seeds="7-8", **values):
        for path in asset.save(tmp_path / "python", to=to, **options):
            assert asset.name in path.name
    out = str(tmp_path / "command")
    result = run("generate", model, "--seeds", "7-8", "--to", to, *command, "--no-preview", "--workers", "1", "-o", out)
    assert result.exit_code == 0, result.output
    assert files_of(tmp_path / "python") == files_of(tmp_path / "command")


def test_assets_show_themselves():
    (asset,) = ganassets.generate("textures", seeds=3, size=32)
    with Image.open(io.BytesIO(asset._repr_png_())) as image:
        assert min(image.size) >= 32
    assert asset.name == "textures-00000003" and asset.recipe.seed == 3


def test_lists_make_each_combination():
    assets = list(ganassets.generate("textures", seeds=[1, 2], size=32, material=["brick", "sand"]))
    assert len({asset.name for asset in assets}) == 4


def test_files_are_kept_without_overwrite(tmp_path):
    (asset,) = ganassets.generate("textures", seeds=1, size=32)
    asset.save(tmp_path)
    with pytest.raises(InputError, match="is there already"):
        asset.save(tmp_path)
    assert asset.save(tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("model", "values", "text"),
    [
        ("nonsense", {}, "nonsense"),
        ("faces", {"shoe_size": 44}, "shoe_size"),
        ("faces", {"age": 700}, "age 700 is outside 8..85"),
        ("faces", {"seeds": "5-"}, "5-"),
        ("faces", {"size": 64}, "make one size only"),
        ("poses", {"seconds": "long"}, "seconds takes a number"),
        ("faces.onnx", {}, "faces.onnx"),
    ],
)
def test_mistakes_are_reported_before_anything_is_generated(model, values, text):
    with pytest.raises(InputError, match=r"^[^\n]+$") as error:
        ganassets.generate(model, **values)
    assert text in str(error.value)


def test_an_unknown_format_or_option_is_refused(tmp_path):
    (asset,) = ganassets.generate("textures", seeds=1, size=32)
    wrong: list[tuple[str, dict[str, Any]]] = [("jpg", {}), ("gltf", {"copies": 3}), ("vrm", {})]
    for to, options in wrong:
        with pytest.raises(InputError):
            asset.save(tmp_path / "none", to, **options)
    assert not (tmp_path / "none").exists()


def test_importing_is_light():
    code = f"import sys, ganassets\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    assert run_python(code).stdout == "[]\n"
    code = f"import sys, ganassets\nganassets.generators()\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    assert run_python(code).stdout == "[]\n"


def test_types_ship():
    assert Path(ganassets.__file__ or "").with_name("py.typed").is_file()


@pytest.mark.slow
def test_examples_run(tmp_path, monkeypatch):
    """A run, its export and its report among them."""
    pytest.importorskip("torch")
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    monkeypatch.chdir(tmp_path)
    write_sprites(tmp_path / "my-portraits", opaque=True)
    report: list[str] = []
    runner = doctest.DocTestRunner()
    found = doctest.DocTestFinder().find(ganassets, "ganassets")
    for examples in found:
        runner.run(examples, out=report.append)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)
    assert not runner.failures, "".join(report)
    shown = {examples.name.rpartition(".")[2] for examples in found if examples.examples}
    assert shown >= set(ganassets.__all__) - {"export"}
    (folder,) = (tmp_path / "runs").iterdir()
    trained = ganassets.train(
        "portraits", data="my-portraits", kimg=0.016, device="cpu", threads=1, out="two", quiet=True
    )
    assert trained.report.is_file() and trained.spec.name == "portraits"
    assert ganassets.export("two", licence="CC0-1.0", source="Mine") == trained.model
    manifest = ganassets.load_model(Path("two")).manifest
    assert (manifest.data.licence, manifest.data.source) == ("CC0-1.0", "Mine")
    assert trained.resume(quiet=True).folder == Path("two")
    assert len(list(folder.iterdir())) > 3


def test_training_mistakes_are_one_sentence():
    with pytest.raises(InputError, match="has no option 'pictures'; its data options are"):
        ganassets.train("portraits", pictures="x")
    with pytest.raises(InputError, match="has no preset"):
        ganassets.train("portraits", preset="enormous")


@pytest.mark.parametrize("seeds", [np.int64(3), np.array([3]), iter([3]), {3}, "3", [np.uint8(3)]])
def test_any_way_to_write_seeds(seeds):
    assert [asset.name for asset in ganassets.generate("textures", seeds, size=np.int32(32))] == ["textures-00000003"]


@pytest.mark.parametrize("seeds", [1.5, float("nan"), True, 2**64, pytest.param(10**5000, id="long"), b"1", [None]])
def test_seeds_that_are_no_whole_numbers(seeds):
    with pytest.raises(InputError, match="seeds"):
        ganassets.generate("textures", seeds, size=32)


@pytest.mark.parametrize("model", [None, 3, "", "a\0b.onnx"])
def test_models_that_are_no_path(model):
    with pytest.raises(InputError):
        ganassets.load_model(model)


def test_a_condition_that_is_given_twice():
    with pytest.raises(InputError, match="age is given twice"):
        ganassets.generate("faces", 1, age=30, conditions={"age": 60})
    with pytest.raises(InputError, match="conditions must be a dict"):
        ganassets.generate("faces", 1, age=30, conditions=[60])


@pytest.mark.parametrize(
    "option",
    [
        {"kimg": -1}, {"kimg": float("nan")}, {"kimg": "x"}, {"seed": -1}, {"seed": 1.5}, {"threads": 0},
        {"threads": "x"}, {"devices": 0}, {"precision": "float8"}, {"objective": "wgan"},
    ],
)  # fmt: skip
def test_options_of_train_out_of_range(option, tmp_path):
    with pytest.raises(InputError, match=next(iter(option))):
        ganassets.train("portraits", data=tmp_path, out=tmp_path / "run", **option)
    assert not (tmp_path / "run").exists()


def test_export_of_what_is_no_run():
    with pytest.raises(InputError, match="a run is what train returned"):
        ganassets.export(3)  # pyright: ignore[reportArgumentType]  # a user's mistake
