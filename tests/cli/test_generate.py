"""`ganassets generate` and `inspect`, from the command line to the files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import Result
from PIL import Image

from ganassets.cli.generate import command
from support.command_line import in_process, make_run, run, told
from support.squares import MANIFEST, build_model

PATIENCE = 300  # seconds; machines that run tests are slow now and then


@pytest.fixture
def model(squares, make_model, tmp_path, monkeypatch) -> str:
    """A model of squares, that of a run of the user's."""
    path = make_model(name="work/runs/own/model.onnx")
    monkeypatch.chdir(tmp_path / "work")
    return str(path)


def make(model: str, *args: str) -> Result:
    """Run `generate` with the raw exporter."""
    return run("generate", model, "--to", "raw", *args)


def names(folder: str = "out") -> list[str]:
    """Files of the output folder, but for its index."""
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "index.jsonl")


def test_assets_and_contact_sheet(model):
    result = make(model, "-n", "3")
    assert result.exit_code == 0, result.output
    assert names() == ["contact-sheet.png", *[f"squares-{n:08d}.{s}" for n in (1, 2, 3) for s in ("bin", "txt")]]
    with Image.open("out/contact-sheet.png") as picture:
        assert picture.size == (12, 4)
        assert len(np.unique(np.asarray(picture))) > 8
    assert "3 of squares in out" in result.stdout
    assert "out/contact-sheet.png" in result.stdout
    assert model in result.stdout


def test_a_seed_is_the_same_in_every_run(model):
    make(model, "--seeds", "1-9", "-o", "a")
    make(model, "--seeds", "5", "-o", "b", "--no-preview")
    assert names("b") == ["squares-00000005.bin", "squares-00000005.txt"]
    assert Path("a/squares-00000005.bin").read_bytes() == Path("b/squares-00000005.bin").read_bytes()
    assert len({path.read_bytes() for path in Path("a").glob("*.bin")}) == 9


def test_sliders_truncation_and_settings_have_an_effect(model):
    made = {}
    for number, args in enumerate(
        (
            [],
            ["--set", "age=90"],
            ["--set", "tint=red:0.9,green:0.1"],
            ["--set", "tint=red:0.3,green:0.7"],
            ["--truncation", "0"],
        )
    ):
        assert make(model, "--seeds", "1", "--no-preview", "-o", str(number), *args).exit_code == 0
        made[number] = Path(f"{number}/squares-00000001.bin").read_bytes()
    assert len(set(made.values())) == 5
    assert make(model, "--seeds", "1", "--no-preview", "-o", "x", "--option", "copies=3").exit_code == 0
    assert Path("x/squares-00000001.bin").read_bytes() == made[0] * 3


def test_random_seeds_are_told_by_their_names(model):
    assert make(model, "--seeds", "random", "-n", "3", "--no-preview", "-o", "a").exit_code == 0
    seeds = ",".join(name.removeprefix("squares-").removesuffix(".bin") for name in names("a") if name.endswith(".bin"))
    assert make(model, "--seeds", seeds, "--no-preview", "-o", "b").exit_code == 0
    assert names("a") == names("b")
    assert all(Path("a", name).read_bytes() == Path("b", name).read_bytes() for name in names("a"))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--seeds", "5-2"], "run backwards"),
        (["--seeds", "1-2000000"], "more than 1,000,000"),
        (["--seeds", "1", "-n", "2"], "seeds already says which assets; leave out count, or seeds"),
        (["--set", "age"], "--set takes NAME=VALUE, not 'age'"),
        (["--set", "age=old"], "age takes a number, not 'old'"),
        (["--set", "age=101"], "age 101 is outside 0..100 years"),
        (["--set", "aeg=1"], "did you mean 'age'?"),
        (["--set", "age=1", "--set", "age=2"], "--set age is given twice"),
        (["--set", "tint=blue"], "tint has no 'blue'"),
        (["--set", "tint=red,red"], "tint names red twice"),
        (["--set", "tint=red:x"], "tint takes a number, not 'x'"),
        (["--truncation", "2"], "truncation: Input should be less than or equal to 1"),
        (["--option", "copies=0"], "copies 0 is outside 1..9"),
        (["--option", "size=0"], "raw has no option 'size'"),
        (["--to", "rwa"], "there is no exporter 'rwa'; did you mean 'raw'?"),
    ],
)
def test_bad_input_makes_no_folder(model, args, text):
    assert text in told(make(model, *args))
    assert not Path("out").exists()


def test_an_output_folder_that_holds_such_files(model):
    assert make(model, "-n", "2").exit_code == 0
    before = {name: Path("out", name).stat().st_mtime_ns for name in names()}
    others = ("--seeds", "2-3", "--set", "age=50")
    assert "is there already; choose another folder or use --overwrite" in told(make(model, *others))
    assert {name: Path("out", name).stat().st_mtime_ns for name in names()} == before
    assert make(model, *others, "--overwrite").exit_code == 0
    assert make(model, "--seeds", "4", "--no-preview").exit_code == 0


def test_what_is_there_already_is_left_alone(model):
    assert make(model, "-n", "2", "--no-preview").exit_code == 0
    before = {name: Path("out", name).stat().st_mtime_ns for name in names()}
    result = make(model, "-n", "3", "--no-preview")
    assert "3 of squares in out" in result.stdout and "2 of them were there already" in result.stdout
    assert {name: Path("out", name).stat().st_mtime_ns for name in before} == before and len(names()) == 6
    Path("out/squares-00000002.bin").unlink()
    assert make(model, "-n", "3", "--no-preview").exit_code == 0
    assert len(names()) == 6
    everything = {name: Path("out", name).read_bytes() for name in names()}
    assert make(model, "-n", "3", "--no-preview", "-o", "whole").exit_code == 0
    assert {name: Path("whole", name).read_bytes() for name in names("whole")} == everything


def test_an_output_folder_that_is_a_file(model):
    Path("out").write_text("mine")
    assert "a file has that name" in told(make(model))
    assert Path("out").read_text() == "mine"


def test_a_disk_that_fills_up_leaves_whole_files(model):
    code = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "from ganassets.cli import main\nmain()"
    )
    command = [sys.executable, "-c", code, "generate", model, "--to", "raw", "--option", "copies=9", "--no-preview"]
    folder = next(path for path in Path(model).parents[3].iterdir() if path.name == "site")
    variables = {**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    result = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert result.returncode == 2
    assert "can't write in out: the file would be larger than allowed" in result.stderr
    assert "Traceback" not in result.stderr
    assert names() == []


def test_which_model_a_name_means(model, squares):
    assert "there is no model of squares yet" in told(make("squares"))
    assert "there is no generator 'sqares'" in told(make("sqares"))
    assert "nowhere.onnx is not there" in told(make("nowhere.onnx"))
    old, new = (make_run(Path("runs") / f"squares-{day}-1") for day in ("20260101", "20260202"))
    assert "no run of squares has a model yet" in told(make("squares"))
    assert f"{old} holds no model.onnx" in told(make(str(old)))
    for folder in (old, new):
        (folder / "model.onnx").write_bytes(build_model().SerializeToString())
    assert f"(model {new / 'model.onnx'})" in make("squares", "-o", "a").output
    assert f"(model {old / 'model.onnx'})" in make(str(old), "-o", "b").output


def test_a_model_that_comes_with_the_plugin(model, squares):
    package = squares.folder / "boxed"
    (package / "data").mkdir(parents=True)
    source = next(squares.folder.glob("squares_*.py")).read_text()
    (package / "__init__.py").write_text(source.replace('name="squares"', 'name="boxed"'))
    squares.install("boxed-package", "[ganassets.generators]\nboxed = boxed:SPEC\n")
    (package / "data" / "boxed.onnx").write_bytes(build_model(generator="boxed").SerializeToString())
    result = make("boxed", "-n", "1")
    assert result.exit_code == 0, result.output
    assert "boxed-00000001.bin" in names()


def test_models_that_do_not_fit_the_plugin(squares, make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stranger = str(make_model(generator="circles"))
    assert "there is no generator 'circles'" in told(make(stranger))
    other = str(make_model(static_digests={"quad": "f" * 64}))
    assert "another version of the squares plugin's quad" in told(make(other))
    assert not Path("out").exists()


def test_a_kind_that_the_format_does_not_take(model, squares):
    text = (
        next(squares.folder.glob("raw_*.py")).read_text().replace('("mesh",)', '("clip",)').replace('"raw"', '"clips"')
    )
    squares.install("clips", "[ganassets.exporters]\nclips = module_clips:EXPORTER\n", {"module_clips": text})
    assert "clips takes clip, but squares makes mesh" in told(run("generate", model, "--to", "clips"))


def test_an_exporter_that_fails_or_escapes(model, squares):
    for name, body in {"crash": "1 / 0", "escape": "return {'../evil': b''}", "same": "return {'x': b''}"}.items():
        text = (
            f"from ganassets.api.assets import Exporter\ndef f(asset, options):\n    {body}\n"
            f"EXPORTER = Exporter({name!r}, 's', 1, ('mesh',), ('.x',), f)\n"
        )
        squares.install(name, f"[ganassets.exporters]\n{name} = module_{name}:EXPORTER\n", {f"module_{name}": text})
    result = run("generate", model, "--to", "crash")
    assert "but it raised ZeroDivisionError" in told(result, 1), "once, though it is so for all"
    result = run("generate", model, "--to", "escape", "-n", "1")
    assert "but '../evil' can't be the name of a file" in told(result, 1)
    assert not Path("evil").exists()
    assert "must name files after squares-00000001, but it called one 'x'" in told(
        run("generate", model, "--to", "same"), 1
    )
    assert names() == []


def test_an_exporter_that_fails_for_some(model, squares):
    text = (
        "from ganassets.api.assets import Exporter\ndef f(asset, options):\n    seed = asset.provenance.seed\n"
        "    return {f'{asset.name}.x': bytes([6 // (seed % 3)])}\n"
        "EXPORTER = Exporter('some', 's', 1, ('mesh',), ('.x',), f)\n"
    )
    squares.install("some", "[ganassets.exporters]\nsome = module_some:EXPORTER\n", {"module_some": text})
    result = run("generate", model, "--to", "some", "-n", "20", "--no-preview")
    assert result.exit_code == 1 and "6 of 20 could not be made" in result.stderr
    assert "Not made: squares-00000003: exporter 'some' of some 1.0: export must" in result.stderr
    assert "... and 1 more, listed in out/failures.jsonl" in result.stderr
    failures = [json.loads(line) for line in Path("out/failures.jsonl").read_text().splitlines()]
    assert [failure["seed"] for failure in failures] == [3, 6, 9, 12, 15, 18]
    assert len(list(Path("out").glob("*.x"))) == 14
    again = run("generate", model, "--to", "some", "-n", "20", "--no-preview")
    assert again.exit_code == 1 and "6 could not" not in again.stdout, "they are tried again"


def test_a_preview_that_fails_keeps_the_assets(model, squares):
    text = next(squares.folder.glob("squares_*.py")).read_text()
    text = text.replace('name="squares"', 'name="blind"').replace(
        "from PIL import Image", "raise OSError('no display')"
    )
    squares.generator("blind", "module_blind", text)
    path = Path("blind.onnx")
    path.write_bytes(build_model(generator="blind").SerializeToString())
    result = make(str(path), "-n", "1")
    assert result.exit_code == 1
    assert "the assets are written, but generator 'blind' of dist-module_blind 1.0: preview must" in result.stderr
    assert "but it raised OSError: no display" in result.stderr
    assert names() == ["blind-00000001.bin", "blind-00000001.txt"]


def test_help_shows_sliders_and_settings(squares):
    output = run("generate", "squares", "--help").output
    assert "How old. [0..100 years]" in output
    assert "How often. [1..9; default: 1]" in output
    assert "How old." not in run("generate", "--help").output


def test_ctrl_c_stops_with_whole_files(model):
    site = next(path for path in Path(model).parents[3].iterdir() if path.name == "site")
    variables = {**os.environ, "PYTHONPATH": f"{site}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "ganassets", "generate", model, "--to", "raw", "-n", "100000", "--no-preview"]
    # A test run in the background hands on an ignored SIGINT, which is not what is tested.
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + PATIENCE
    while not list(Path("out").glob("*.bin")) if Path("out").exists() else True:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "Stopped."
    assert "Traceback" not in errors + output
    assert not list(Path("out").glob(".*"))
    assert {path.stat().st_size for path in Path("out").glob("*.bin")} == {48}


def test_generating_needs_neither_torch_nor_onnx(model, squares):
    code = (
        "import sys\nfor name in ('torch', 'onnx', 'scipy'): sys.modules[name] = None\n"
        f"from ganassets.cli import cli\ncli(['generate', {model!r}, '--to', 'raw'], standalone_mode=False)\n"
    )
    result = in_process(code, PYTHONPATH=f"{squares.folder}:{os.environ.get('PYTHONPATH', '')}")
    assert result.returncode == 0, result.stderr
    assert "contact-sheet.png" in names()


def test_inspect(model):
    result = run("inspect", model)
    assert result.exit_code == 0, result.output
    for fact in ("squares 1.2", "CC0-1.0", "0..100 years", "red|green", "vertex x xyz, m", "1.0e-07"):
        assert fact in result.output
    facts = json.loads(run("inspect", model, "--json").output)
    assert facts["manifest"]["conditions"][0]["name"] == MANIFEST["conditions"][0]["name"]
    assert facts["bytes"] == Path(model).stat().st_size
    assert len(facts["sha256"]) == 64


@pytest.mark.parametrize("change", [{"licence": "CC0\x1b[2J\x07\nline"}, {"generator": "squ\x1bares"}])
def test_control_codes_of_a_file_do_not_reach_the_terminal(squares, make_model, change):
    path = str(make_model(**change))
    for verb in ("inspect", "generate"):
        result = run(verb, path)
        assert not {"\x1b", "\x07"} & set(result.output + result.stderr)
        assert result.exit_code == 2 and "Traceback" not in result.output


def test_inspect_bad_input(squares, tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    assert "not a whole ONNX file" in told(run("inspect", str(tmp_path / "x.onnx")))
    assert "did you mean 'squares'?" in told(run("inspect", "sqares"))


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
    assert names() == [f"tiles-00000007.{size}"]
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
    assert text in told(run("generate", tiling, *args))
    assert not Path("out").exists()


def test_a_model_with_one_size_takes_no_other(model):
    for args in (("--size", "64"), ("--window", "64"), ("--crop",)):
        assert "models of squares make one size only" in told(make(model, *args))
    assert not Path("out").exists()


def test_windows_change_nothing_but_the_last_bits(tiling):
    for folder, args in (("whole", ()), ("parts", ("--window", "64"))):
        result = run("generate", tiling, "-n", "1", "--no-preview", "--size", "128x96", "-o", folder, *args)
        assert result.exit_code == 0, result.output
    whole, parts = (np.fromfile(f"{f}/tiles-00000001.128x96", np.float32) for f in ("whole", "parts"))
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5)
    assert run("generate", tiling, "--window", "63").exit_code == 2


def test_the_generator_names_the_format_where_the_user_names_none(tiling, tiles):
    assert run("generate", tiling, "-n", "1", "--size", "4", "--no-preview").exit_code == 0
    assert names() == ["tiles-00000001.4x4"]
    text = next(tiles.folder.glob("tiles_*.py")).read_text()
    tiles.generator("lost", "module_lost", text.replace('"heights"', '"gone"').replace('name="tiles"', 'name="lost"'))
    lost = Path("lost.onnx")
    rename_generator(Path(tiling), lost, "lost")
    assert "there is no exporter 'gone'" in told(run("generate", str(lost)))


def rename_generator(source: Path, target: Path, name: str) -> None:
    """Write a model file that says that another generator made it."""
    proto = onnx.load(str(source))
    proto.metadata_props[0].value = json.dumps(json.loads(proto.metadata_props[0].value) | {"generator": name})
    target.write_bytes(proto.SerializeToString())


def test_options_of_the_default_format_are_checked(tiling):
    assert "heights has no option 'quality'" in told(run("generate", tiling, "--option", "quality=3"))


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


@pytest.fixture
def flags(squares, tmp_path, monkeypatch) -> str:
    """A model of a generator with a switch, settings of its own, and names that are taken; two more formats."""
    source = next(squares.folder.glob("squares_*.py")).read_text()
    changes = {
        'name="squares"': 'name="flags"',
        'Condition("age", "How old.", 0, 100, "years")': 'Condition("wet", "Whether it rains.", switch=True)',
        "dataset=": "settings=SETTINGS, exporter='raw', dataset=",
        "SPEC =": (
            "from ganassets.api.assets import Option\nSETTINGS = (\n"
            'Option("shift", float, 0.0, "How far.", low=0, high=9), Option("big-feet", bool, True, "Whether."),\n'
            'Option("workers", int, 1, "A taken name."), Option("style", str, "old", "Which.", ("old", "new")))\nSPEC ='
        ),
        'arrays["positions"][i]': 'arrays["positions"][i] * (1 + settings["big-feet"]) + settings["shift"]',
    }
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    squares.generator("flags", "module_flags", source)
    for name, option in {"sized": '"size"', "deep": '"depth"'}.items():
        text = (
            f"from ganassets.api.assets import Exporter, Option\ndef f(asset, options):\n"
            f"    return {{asset.name + '.{name}': b'%d' % options[{option}]}}\n"
            f"EXPORTER = Exporter({name!r}, 's', 1, ('mesh',), ('.x',), f, (Option({option}, int, 5, 'Much.'),))\n"
        )
        module = f"module_flags_{name}"
        squares.install(name, f"[ganassets.exporters]\n{name} = {module}:EXPORTER\n", {module: text})
    conditions = [
        {"name": "wet", "help": "Whether it rains.", "switch": True},
        {"name": "tint", "help": "Which.", "choices": ["red", "green"]},
    ]
    rows = [[float(i % 2), float(i % 3 == 0), float(i % 3 != 0)] for i in range(12)]
    model = build_model(generator="flags", conditions=conditions, condition_rows=rows)
    path = tmp_path / "flags.onnx"
    path.write_bytes(model.SerializeToString())
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return str(path)


def made_by(*args: str) -> bytes:
    """The first file of seed 1 that a command writes."""
    folder = f"folder-{len(list(Path().iterdir()))}"
    result = run("generate", *args, "--seeds", "1", "--no-preview", "-o", folder)
    assert result.exit_code == 0, result.output
    return sorted(Path(folder).iterdir())[0].read_bytes()


def test_sliders_are_options(model):
    assert made_by(model, "--to", "raw", "--age", "30") == made_by(model, "--to", "raw", "--set", "age=30")
    assert made_by(model, "--to", "raw", "--age=30") != made_by(model, "--to", "raw", "--age", "70")
    mixed = "red:0.5,green:0.5"
    assert made_by(model, "--to", "raw", "--tint", mixed) == made_by(model, "--to", "raw", "--set", f"tint={mixed}")


def test_settings_of_a_format_are_options(model):
    assert made_by(model, "--to", "raw", "--copies", "3") == made_by(model, "--to", "raw", "--option", "copies=3")


def test_settings_of_the_generator_are_options(flags):
    plain, moved = (np.frombuffer(made_by(flags, "--shift", text), np.float32) for text in ("0", "2.5"))
    np.testing.assert_allclose(moved, plain + 2.5, atol=1e-5)
    big, small = (np.frombuffer(made_by(flags, word), np.float32) for word in ("--big-feet", "--no-big-feet"))
    np.testing.assert_allclose(big, 2 * small, rtol=1e-5)
    assert made_by(flags) == made_by(flags, "--big-feet", "--shift", "0"), "the defaults"


def test_switches_are_yes_or_no(flags):
    wet, dry = made_by(flags, "--wet"), made_by(flags, "--no-wet")
    assert wet != dry
    for word in ("yes", "1", "on", "True"):
        assert made_by(flags, "--set", f"wet={word}") == wet
    assert made_by(flags, "--set", "wet=no") == dry
    assert made_by(flags) in (wet, dry)


def test_a_model_file_and_a_run_bring_their_options(flags):
    folder = Path("runs/flags-20260101-1")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(Path(flags).read_bytes())
    shifted = made_by(flags, "--shift", "3")
    assert made_by(str(folder), "--shift", "3") == made_by("flags", "--shift", "3") == shifted
    # A folder that is named like another generator names none.
    for args in ((flags, "-o", "squares"), ("-o", "squares", "--overwrite", "flags"), ("--out", "squares", flags)):
        result = run("generate", "--seeds", "1", "--no-preview", "--overwrite", "--shift", "3", *args)
        assert result.exit_code == 0, result.output
    # Whatever stands before it, whatever it says and however long it is.
    seeds = ",".join(map(str, range(1, 400)))
    result = run("generate", "--seeds", seeds, "--shift", "3", flags, "--no-preview", "-o", "many")
    assert result.exit_code == 0, result.output
    assert Path("many/flags-00000001.bin").read_bytes() == shifted


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--shift", "10"], "shift 10 is outside 0..9"),
        (["--shift", "far"], "shift takes a number, not 'far'"),
        (["--style", "odd"], "style is one of old, new, not 'odd'"),
        (["--set", "wet=0.5"], "wet takes yes or no, not '0.5'"),
        (["--wet", "--set", "wet=no"], "--set wet is given twice"),
        (["--copies", "2", "--option", "copies=3"], "--option copies is given twice"),
        (["--depth", "3"], "raw has no option 'depth'"),
        (["--to", "deep", "--copies", "3"], "deep has no option 'copies'"),
        (["--set", "shift=3"], "there is no slider 'shift'"),
        (["--option", "shift=3"], "raw has no option 'shift'"),
    ],
)
def test_options_that_do_not_fit(flags, args, text):
    assert text in told(run("generate", flags, *args))
    assert not Path("out").exists()


@pytest.mark.parametrize("args", [["--age", "3"], ["--tempo", "3"], ["--no-shift"], ["--wet", "yes"]])
def test_options_that_are_not_there(flags, args):
    assert run("generate", flags, *args).exit_code == 2
    assert not Path("out").exists()


def test_names_that_are_taken_are_left_to_set_and_option(flags):
    """--size and --workers are the command's own, --style the generator's."""
    assert made_by(flags, "--to", "sized", "--option", "size=7") == b"7"
    assert "make one size only" in told(run("generate", flags, "--to", "sized", "--size", "7"))
    assert made_by(flags, "--workers", "1") == made_by(flags)
    assert made_by(flags, "--style", "new") == made_by(flags)
    assert made_by(flags, "--option", "style=fancy") == made_by(flags)
    assert "style is one of plain, fancy" in told(run("generate", flags, "--option", "style=new"))


def test_help_names_options_as_they_are_given(flags):
    output = " ".join(run("generate", "flags", "--help").output.split())
    for text in (
        "--[no-]wet Whether it rains. [yes|no]",
        "--tint Which. [red|green]",
        "--shift How far. [0..9; default: 0]",
        "--[no-]big-feet Whether. [yes|no; default: yes]",
        "Options of --to deep: --depth Much.",
        "Options of --to sized: --option size= Much.",
        "--option style= How. [plain|fancy; default: plain]",
        "--[no-]noisy Whether. [yes|no; default: no]",
    ):
        assert text in output, text
    assert run("generate", flags, "--help").output == run("generate", "flags", "--help").output


def test_values_of_options_are_completed(flags):
    context = command.make_context("generate", ["flags"])
    found = {param.opts[0]: param for param in command.get_params(context) if getattr(param, "hidden", False)}
    assert {"--wet", "--tint", "--shift", "--big-feet", "--style", "--copies", "--depth"} <= found.keys()
    assert not {"--size", "--workers"} & found.keys()
    words = {name: [item.value for item in found[name].shell_complete(context, "")] for name in ("--tint", "--style")}
    assert words == {"--tint": ["red", "green"], "--style": ["old", "new"]}
    assert [item.value for item in found["--tint"].shell_complete(context, "g")] == ["green"]


def test_what_a_model_has_not_learnt_makes_no_folder(flags):
    path = Path("dry.onnx")
    proto = onnx.load(flags)
    facts = json.loads(proto.metadata_props[0].value)
    facts["condition_rows"] = [row for row in facts["condition_rows"] if row[0] == 0]
    proto.metadata_props[0].value = json.dumps(facts)
    path.write_bytes(proto.SerializeToString())
    assert "this model has not learnt wet" in told(run("generate", str(path), "--wet"))
    assert not Path("out").exists()
