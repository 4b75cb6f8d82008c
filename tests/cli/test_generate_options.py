"""Options of `ganassets generate` that generators and formats define."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from ganassets.cli.generate import command
from support.command_line import read_error, run
from support.squares import build_model


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
    # A folder with the name of another generator does not choose it.
    for args in ((flags, "-o", "squares"), ("-o", "squares", "--overwrite", "flags"), ("--out", "squares", flags)):
        result = run("generate", "--seeds", "1", "--no-preview", "--overwrite", "--shift", "3", *args)
        assert result.exit_code == 0, result.output
    # The generator is found behind any options, also long ones.
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
    assert text in read_error(run("generate", flags, *args))
    assert not Path("out").exists()


@pytest.mark.parametrize("args", [["--age", "3"], ["--tempo", "3"], ["--no-shift"], ["--wet", "yes"]])
def test_options_that_are_not_there(flags, args):
    assert run("generate", flags, *args).exit_code == 2
    assert not Path("out").exists()


def test_names_that_are_taken_are_left_to_set_and_option(flags):
    """--size and --workers are the command's own, --style the generator's."""
    assert made_by(flags, "--to", "sized", "--option", "size=7") == b"7"
    assert "make one size only" in read_error(run("generate", flags, "--to", "sized", "--size", "7"))
    assert made_by(flags, "--workers", "1") == made_by(flags)
    assert made_by(flags, "--style", "new") == made_by(flags)
    assert made_by(flags, "--option", "style=fancy") == made_by(flags)
    assert "style is one of plain, fancy" in read_error(run("generate", flags, "--option", "style=new"))


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


def test_conditions_that_were_not_learnt_make_no_folder(flags):
    path = Path("dry.onnx")
    proto = onnx.load(flags)
    facts = json.loads(proto.metadata_props[0].value)
    facts["condition_rows"] = [row for row in facts["condition_rows"] if row[0] == 0]
    proto.metadata_props[0].value = json.dumps(facts)
    path.write_bytes(proto.SerializeToString())
    assert "this model has not learnt wet" in read_error(run("generate", str(path), "--wet"))
    assert not Path("out").exists()
