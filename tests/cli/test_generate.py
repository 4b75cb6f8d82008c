"""`ganassets generate`, from the command line to the files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.command_line import generate_raw, list_outputs, make_run, read_error, run, run_python
from support.squares import build_model

PATIENCE = 300  # seconds; machines that run tests are slow now and then


def test_assets_and_contact_sheet(model):
    result = generate_raw(model, "-n", "3")
    assert result.exit_code == 0, result.output
    assert list_outputs() == ["contact-sheet.png", *[f"squares-{n:08d}.{s}" for n in (1, 2, 3) for s in ("bin", "txt")]]
    with Image.open("out/contact-sheet.png") as picture:
        assert picture.size == (12, 4)
        assert len(np.unique(np.asarray(picture))) > 8
    assert "3 of squares in out" in result.stdout
    assert "out/contact-sheet.png" in result.stdout
    assert model in result.stdout


def test_a_seed_is_the_same_in_every_run(model):
    generate_raw(model, "--seeds", "1-9", "-o", "a")
    generate_raw(model, "--seeds", "5", "-o", "b", "--no-preview")
    assert list_outputs("b") == ["squares-00000005.bin", "squares-00000005.txt"]
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
        assert generate_raw(model, "--seeds", "1", "--no-preview", "-o", str(number), *args).exit_code == 0
        made[number] = Path(f"{number}/squares-00000001.bin").read_bytes()
    assert len(set(made.values())) == 5
    assert generate_raw(model, "--seeds", "1", "--no-preview", "-o", "x", "--option", "copies=3").exit_code == 0
    assert Path("x/squares-00000001.bin").read_bytes() == made[0] * 3


def test_random_seeds_are_in_the_file_names(model):
    assert generate_raw(model, "--seeds", "random", "-n", "3", "--no-preview", "-o", "a").exit_code == 0
    seeds = ",".join(
        name.removeprefix("squares-").removesuffix(".bin") for name in list_outputs("a") if name.endswith(".bin")
    )
    assert generate_raw(model, "--seeds", seeds, "--no-preview", "-o", "b").exit_code == 0
    assert list_outputs("a") == list_outputs("b")
    assert all(Path("a", name).read_bytes() == Path("b", name).read_bytes() for name in list_outputs("a"))


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
    assert text in read_error(generate_raw(model, *args))
    assert not Path("out").exists()


def test_an_output_folder_that_holds_such_files(model):
    assert generate_raw(model, "-n", "2").exit_code == 0
    before = {name: Path("out", name).stat().st_mtime_ns for name in list_outputs()}
    others = ("--seeds", "2-3", "--set", "age=50")
    assert "is there already; choose another folder or use --overwrite" in read_error(generate_raw(model, *others))
    assert {name: Path("out", name).stat().st_mtime_ns for name in list_outputs()} == before
    assert generate_raw(model, *others, "--overwrite").exit_code == 0
    assert generate_raw(model, "--seeds", "4", "--no-preview").exit_code == 0


def test_existing_files_are_not_written_again(model):
    assert generate_raw(model, "-n", "2", "--no-preview").exit_code == 0
    before = {name: Path("out", name).stat().st_mtime_ns for name in list_outputs()}
    result = generate_raw(model, "-n", "3", "--no-preview")
    assert "3 of squares in out" in result.stdout and "2 of them were there already" in result.stdout
    assert {name: Path("out", name).stat().st_mtime_ns for name in before} == before and len(list_outputs()) == 6
    Path("out/squares-00000002.bin").unlink()
    assert generate_raw(model, "-n", "3", "--no-preview").exit_code == 0
    assert len(list_outputs()) == 6
    everything = {name: Path("out", name).read_bytes() for name in list_outputs()}
    assert generate_raw(model, "-n", "3", "--no-preview", "-o", "whole").exit_code == 0
    assert {name: Path("whole", name).read_bytes() for name in list_outputs("whole")} == everything


def test_an_output_folder_that_is_a_file(model):
    Path("out").write_text("mine")
    assert "a file has that name" in read_error(generate_raw(model))
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
    assert list_outputs() == []


def test_which_model_a_name_means(model, squares):
    assert "there is no model of squares yet" in read_error(generate_raw("squares"))
    assert "there is no generator 'sqares'" in read_error(generate_raw("sqares"))
    assert "nowhere.onnx is not there" in read_error(generate_raw("nowhere.onnx"))
    old, new = (make_run(Path("runs") / f"squares-{day}-1") for day in ("20260101", "20260202"))
    assert "no run of squares has a model yet" in read_error(generate_raw("squares"))
    assert f"{old} holds no model.onnx" in read_error(generate_raw(str(old)))
    for folder in (old, new):
        (folder / "model.onnx").write_bytes(build_model().SerializeToString())
    assert f"(model {new / 'model.onnx'})" in generate_raw("squares", "-o", "a").output
    assert f"(model {old / 'model.onnx'})" in generate_raw(str(old), "-o", "b").output


def test_a_model_that_comes_with_the_plugin(model, squares):
    package = squares.folder / "boxed"
    (package / "data").mkdir(parents=True)
    source = next(squares.folder.glob("squares_*.py")).read_text()
    (package / "__init__.py").write_text(source.replace('name="squares"', 'name="boxed"'))
    squares.install("boxed-package", "[ganassets.generators]\nboxed = boxed:SPEC\n")
    (package / "data" / "boxed.onnx").write_bytes(build_model(generator="boxed").SerializeToString())
    result = generate_raw("boxed", "-n", "1")
    assert result.exit_code == 0, result.output
    assert "boxed-00000001.bin" in list_outputs()


def test_models_that_do_not_fit_the_plugin(squares, make_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    foreign = str(make_model(generator="circles"))
    assert "there is no generator 'circles'" in read_error(generate_raw(foreign))
    other = str(make_model(static_digests={"quad": "f" * 64}))
    assert "another version of the squares plugin's quad" in read_error(generate_raw(other))
    assert not Path("out").exists()


def test_a_kind_that_the_format_does_not_take(model, squares):
    text = (
        next(squares.folder.glob("raw_*.py")).read_text().replace('("mesh",)', '("clip",)').replace('"raw"', '"clips"')
    )
    squares.install("clips", "[ganassets.exporters]\nclips = module_clips:EXPORTER\n", {"module_clips": text})
    assert "clips takes clip, but squares makes mesh" in read_error(run("generate", model, "--to", "clips"))


def test_an_exporter_that_fails_or_escapes(model, squares):
    for name, body in {"crash": "1 / 0", "escape": "return {'../evil': b''}", "same": "return {'x': b''}"}.items():
        text = (
            f"from ganassets.api.assets import Exporter\ndef f(asset, options):\n    {body}\n"
            f"EXPORTER = Exporter({name!r}, 's', 1, ('mesh',), ('.x',), f)\n"
        )
        squares.install(name, f"[ganassets.exporters]\n{name} = module_{name}:EXPORTER\n", {f"module_{name}": text})
    result = run("generate", model, "--to", "crash")
    assert "but it raised ZeroDivisionError" in read_error(result, 1), "once, although all assets fail"
    result = run("generate", model, "--to", "escape", "-n", "1")
    assert "but '../evil' can't be the name of a file" in read_error(result, 1)
    assert not Path("evil").exists()
    assert "must name files after squares-00000001, but it called one 'x'" in read_error(
        run("generate", model, "--to", "same"), 1
    )
    assert list_outputs() == []


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
    result = generate_raw(str(path), "-n", "1")
    assert result.exit_code == 1
    assert "the assets are written, but generator 'blind' of dist-module_blind 1.0: preview must" in result.stderr
    assert "but it raised OSError: no display" in result.stderr
    assert list_outputs() == ["blind-00000001.bin", "blind-00000001.txt"]


def test_help_shows_sliders_and_settings(squares):
    output = run("generate", "squares", "--help").output
    assert "How old. [0..100 years]" in output
    assert "How often. [1..9; default: 1]" in output
    assert "How old." not in run("generate", "--help").output


def test_ctrl_c_stops_with_whole_files(model):
    site = next(path for path in Path(model).parents[3].iterdir() if path.name == "site")
    variables = {**os.environ, "PYTHONPATH": f"{site}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "ganassets", "generate", model, "--to", "raw", "-n", "100000", "--no-preview"]
    # A test run in the background passes on an ignored SIGINT.
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
    result = run_python(code, PYTHONPATH=f"{squares.folder}:{os.environ.get('PYTHONPATH', '')}")
    assert result.returncode == 0, result.stderr
    assert "contact-sheet.png" in list_outputs()
