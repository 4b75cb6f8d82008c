"""`ganassets generate` with size-free models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from support.command_line import generate_raw, list_outputs, read_error, run


@pytest.fixture
def tiling(tiles, tiles_model, tmp_path, monkeypatch) -> str:
    """A size-free model; the working folder is empty."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return str(tiles_model)


@pytest.mark.parametrize(
    ("args", "size"),
    [
        ((), "64x64"),
        (("--size", "32x16"), "32x16"),  # width, then height
        (("--size", "8"), "8x8"),
        (("--size", " 12X8 "), "12x8"),
        (("--size", "30x18", "--crop"), "30x18"),
    ],
)
def test_sizes(tiling, args, size):
    result = run("generate", tiling, "--seeds", "7", "--no-preview", *args)
    assert result.exit_code == 0, result.output
    assert list_outputs() == [f"tiles-00000007.{size}"]
    width, height = map(int, size.split("x"))
    assert Path(f"out/tiles-00000007.{size}").stat().st_size == 4 * width * height


@pytest.mark.parametrize(
    ("args", "text"),
    [
        *[
            (["--size", s], "the size must be WIDTHxHEIGHT")
            for s in ("0", "0x8", "8x0", "", "x8", "8x", "-8", "8x8x8", "1e3")
        ],
        (["--size", "8.5"], "or one number, not '8.5'"),
        (["--size", "\uff11\uff16"], "the size must be WIDTHxHEIGHT"),
        (["--size", "1234567"], "the size must be WIDTHxHEIGHT"),
        (["--size", "8x00"], "the size must be WIDTHxHEIGHT"),
        (["--size", "18x24"], "the size 18x24 is no multiple of 4; use 16x24 or 20x24, or --crop"),
        (["--size", "99999x99999"], "is not possible; at most 16,777,216 texels"),
        (["--to", "gltf"], "there is no exporter 'gltf'"),
    ],
)
def test_bad_input_of_size_free_models_makes_no_folder(tiling, args, text):
    assert text in read_error(run("generate", tiling, *args))
    assert not Path("out").exists()


def test_a_model_with_one_size_takes_no_other(model):
    for args in (("--size", "64"), ("--window", "64"), ("--crop",)):
        assert "models of squares make one size only" in read_error(generate_raw(model, *args))
    assert not Path("out").exists()


def test_windows_change_nothing_but_the_last_bits(tiling):
    for folder, args in (("whole", ()), ("parts", ("--window", "64"))):
        result = run("generate", tiling, "-n", "1", "--no-preview", "--size", "128x96", "-o", folder, *args)
        assert result.exit_code == 0, result.output
    whole, parts = (np.fromfile(f"{f}/tiles-00000001.128x96", np.float32) for f in ("whole", "parts"))
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5)
    assert run("generate", tiling, "--window", "63").exit_code == 2


def test_the_generator_gives_the_default_format(tiling, tiles):
    assert run("generate", tiling, "-n", "1", "--size", "4", "--no-preview").exit_code == 0
    assert list_outputs() == ["tiles-00000001.4x4"]
    text = next(tiles.folder.glob("tiles_*.py")).read_text()
    tiles.generator("lost", "module_lost", text.replace('"heights"', '"gone"').replace('name="tiles"', 'name="lost"'))
    lost = Path("lost.onnx")
    rename_generator(Path(tiling), lost, "lost")
    assert "there is no exporter 'gone'" in read_error(run("generate", str(lost)))


def rename_generator(source: Path, target: Path, name: str) -> None:
    """Write a model file that says that another generator made it."""
    proto = onnx.load(str(source))
    proto.metadata_props[0].value = json.dumps(json.loads(proto.metadata_props[0].value) | {"generator": name})
    target.write_bytes(proto.SerializeToString())


def test_options_of_the_default_format_are_checked(tiling):
    assert "heights has no option 'quality'" in read_error(run("generate", tiling, "--option", "quality=3"))


def test_help_shows_fitting_formats_only(tiling, tiles):
    text = next(tiles.folder.glob("heights_*.py")).read_text().replace("Exporter\n", "Exporter, Option\n", 1)
    option = '(Option("depth", int, 8, "Bits."),))'
    for name, kind in (("deep", "textures"), ("deeper", "textures"), ("meshes", "mesh")):
        changed = text.replace('"heights"', f'"{name}"').replace('("textures",)', f'("{kind}",)')
        changed = changed.replace("export)", f"export, {option}")
        tiles.install(name, f"[ganassets.exporters]\n{name} = module_{name}:EXPORTER\n", {f"module_{name}": changed})
    output = run("generate", "tiles", "--help").output
    assert "Options of --to deep, deeper:" in output
    assert "meshes" not in output
