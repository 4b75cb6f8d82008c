"""The command line: what it starts, what it prints, how it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from ganassets import __version__
from ganassets.api.errors import GanassetsError, InputError
from support.command_line import make_run, read_error, run, run_python

COMMANDS = ("generate", "models", "data", "train", "report", "export", "inspect", "evaluate", "plugins", "completion")


@pytest.mark.parametrize("args", [["--help"], ["plugins", "list"], ["train", "--help"], ["completion", "bash"]])
def test_light_commands_import_nothing_heavy(args):
    heavy = ("torch", "onnxruntime", "onnx", "pydantic", "rich", "vtk", "PIL", "scipy", "numpy")
    code = (
        f"import sys\nfrom ganassets.cli import cli\ncli({args!r}, standalone_mode=False)\n"
        f"print('heavy:', [name for name in {heavy!r} if name in sys.modules])"
    )
    result = run_python(code)
    assert result.stdout.splitlines()[-1] == "heavy: []", result.stderr


def test_importing_the_command_line_imports_no_numpy():
    result = run_python("import sys, ganassets.cli\nprint('numpy' in sys.modules)")
    assert result.stdout == "False\n"


def test_help_lists_every_command_and_each_ends_with_examples():
    result = run("--help")
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in COMMANDS)
    for path in [[], *[[name] for name in COMMANDS], ["plugins", "list"], ["plugins", "check"]]:
        output = run(*path, "--help").output
        examples = output.partition("Examples:\n")[2]
        assert examples, path
        assert all(line.strip().startswith("ganassets ") for line in examples.strip().splitlines())


def test_version():
    assert run("--version").output == f"ganassets {__version__}\n"


def test_usage_errors_exit_2():
    for args in (["nonsense"], ["generate"], ["generate", "x", "--no-such"], ["train", "--objective", "x"], ["-x"]):
        result = run(*args)
        assert result.exit_code == 2
        assert "Error: " in result.stderr


GREET = """
import click

@click.group(name="hello", short_help="Greet people.")
def command(): ...

@command.command()
@click.argument("name")
def greet(name):
    if name == "nobody":
        raise ZeroDivisionError("by 0")
    click.echo(f"hello {name}")
"""


@pytest.fixture
def greeting(plugin_path):
    """A package brings the command `hello`."""
    plugin_path.install("greeting", "[ganassets.commands]\nhello = module_greet:command\n", {"module_greet": GREET})
    return plugin_path


def test_commands_of_packages_come_last_and_run(greeting):
    names = [line.split()[0] for line in run("--help").output.partition("Commands:\n")[2].splitlines() if line.strip()]
    assert names[names.index("completion") + 1] == "hello"
    assert run("hello", "greet", "you").stdout == "hello you\n"
    assert read_error(run("hello", "greet", "nobody"), 1).startswith(
        "something unexpected happened (ZeroDivisionError: by 0)"
    )
    assert run("hallo").exit_code == 2


def test_a_package_takes_no_commands_place(greeting):
    greeting.install("taker", "[ganassets.commands]\nplugins = module_greet:command\n")
    assert "list" in run("plugins", "--help").output
    assert run("--help").output.count("\n  plugins ") == 1


def test_a_broken_command_reports_it_and_the_others_work(greeting):
    greeting.install("broken", "[ganassets.commands]\nbye = module_bye:command\n", {"module_bye": "import no_such"})
    greeting.install("foreign", "[ganassets.commands]\nodd = module_odd:command\n", {"module_odd": "command = 5"})
    output = run("--help").output
    assert output.index("\n  bye ") < output.index("\n  hello ") < output.index("\n  odd ")
    for args in (["bye"], ["bye", "--help"], ["bye", "build", "--here", "x"]):
        assert "command 'bye' of broken 1.0 fails on import (ModuleNotFoundError" in read_error(run(*args))
    assert read_error(run("odd")) == "command 'odd' of foreign 1.0 is of type int, not Command."
    assert run("hello", "greet", "you").exit_code == 0


def test_commands_of_packages_are_plugins(greeting):
    assert "command  hello  ok     greeting 1.0  Greet people." in run("plugins", "list").output
    result = run("plugins", "check", "hello")
    assert result.exit_code == 0
    assert "commands greet\n  ok\n" in result.output


def test_commands_of_packages_are_completed(greeting):
    environment = {"_GANASSETS_COMPLETE": "bash_complete", "COMP_WORDS": "ganassets hel", "COMP_CWORD": "1"}
    code = "from ganassets.cli import main; main()"
    result = run_python(code, PYTHONPATH=f"{greeting.folder}:{os.environ.get('PYTHONPATH', '')}", **environment)
    assert result.stdout.splitlines() == ["plain,hello"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_sound(shell, tmp_path):
    script = run("completion", shell).output
    assert "_GANASSETS_COMPLETE" in script
    program = shutil.which(shell)
    if program:
        (tmp_path / "script").write_text(script)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def test_completion_knows_generators(squares):
    environment = {"_GANASSETS_COMPLETE": "bash_complete", "COMP_WORDS": "ganassets generate sq", "COMP_CWORD": "2"}
    code = "from ganassets.cli import main; main()"
    result = run_python(code, PYTHONPATH=f"{squares.folder}:{os.environ.get('PYTHONPATH', '')}", **environment)
    assert result.stdout.splitlines() == ["plain,squares"]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `ganassets plugins list` fail."""

    def fail():
        raise error

    monkeypatch.setattr("ganassets.cli.plugins.find_generators", fail)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("that can't be."), 2, "Error: that can't be.\n"),
        (GanassetsError("it failed."), 1, "Error: it failed.\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
        (
            ZeroDivisionError("by 0"), 1,
            "Error: something unexpected happened (ZeroDivisionError: by 0); run again with --debug to see where.\n",
        ),
    ],
)  # fmt: skip
def test_failures_are_one_sentence_unless_debug(monkeypatch, error, code, text):
    raising(monkeypatch, error)
    result = run("plugins", "list")
    assert (result.exit_code, result.stderr) == (code, text)
    for args in (["--debug", "plugins", "list"], ["plugins", "list", "--debug"]):
        result = run(*args)
        assert result.exit_code == code
        assert "Traceback (most recent call last)" in result.stderr
        assert type(error).__name__ in result.stderr


def test_a_closed_pipe_is_no_crash():
    code = "import sys; from ganassets.cli import main; main()"
    command = f"{sys.executable} -c '{code}' plugins list | true"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    assert "Error" not in result.stderr


def test_plugins_list_shows_what_works_and_what_failed(squares):
    squares.generator("broken", "module_cli_broken", "raise OSError('no disk')")
    result = run("plugins", "list")
    assert result.exit_code == 0
    lines = {line.split()[1]: line for line in result.output.splitlines()}
    assert "failed" in lines["broken"]
    assert "OSError: no disk" in lines["broken"]
    assert lines["squares"].split(maxsplit=5)[::2] == ["generator", "ok", "1.2"]
    assert "Coloured squares." in lines["squares"]
    assert "exporter" in lines["raw"]


def test_plugins_check(squares):
    result = run("plugins", "check", "squares")
    assert result.exit_code == 0, result.output
    for fact in ("slider age: How old. [0..100 years]", "tint: Which. [red|green]", "preset quick", "--colours", "ok"):
        assert fact in result.output
    result = run("plugins", "check", "raw")
    assert result.exit_code == 0, result.output
    assert "option copies: How often. [1..9; default: 1]" in result.output
    assert read_error(run("plugins", "check", "sqares")) == "there is no plugin 'sqares'; did you mean 'squares'?"


def test_plugins_check_fails_with_the_traceback(squares):
    squares.generator("broken", "module_cli_check", "import nowhere_to_be_found")
    result = run("plugins", "check", "broken")
    assert result.exit_code == 1
    assert "Traceback" in result.stdout
    assert "nowhere_to_be_found" in result.stdout
    assert result.stderr == "Error: generator 'broken' of dist-module_cli_check 1.0 does not pass.\n"


def test_plugins_check_fails_for_a_spec_that_breaks_rules(squares):
    text = (squares.folder / next(p.name for p in squares.folder.glob("squares_*.py"))).read_text()
    flawed = text.replace('name="squares"', 'name="flawed"').replace(
        'Preset("quick", "At once.", 4, 4', 'Preset("q", "", 5, 4'
    )
    squares.generator("flawed", "module_cli_flawed", flawed)
    result = run("plugins", "check", "flawed")
    assert result.exit_code == 1
    assert "problem: preset 'q': size 5 is not a multiple of network_size 4." in result.stdout


class Training:
    """A stand-in for ganassets.training.run that keeps the arguments of its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple] = []
        run_module = types.ModuleType("ganassets.training.run")
        run_module.train = self.train  # pyright: ignore[reportAttributeAccessIssue]
        run_module.resume = self.resume  # pyright: ignore[reportAttributeAccessIssue]
        monkeypatch.setitem(sys.modules, "ganassets.training.run", run_module)

    def train(self, spec, preset, **settings):
        self.calls.append((spec.name, preset, settings))
        return Path("runs/squares-20260131-1")

    def resume(self, spec, run, console, trusted):
        self.calls.append((spec.name, run, trusted))
        return run


@pytest.fixture
def training(squares, monkeypatch, tmp_path):
    """The training's two functions, caught; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    return Training(monkeypatch)


def test_train_passes_everything_on(training):
    args = (
        "train squares --seed 3 --kimg 2.5 --objective minimax --device cpu --threads 2 --devices 2 --out here "
        "--precision float32 --colours there"
    )
    result = run(*args.split())
    assert result.exit_code == 0, result.output
    assert "Next: ganassets export runs/squares-20260131-1 --onnx" in result.output
    ((name, preset, settings),) = training.calls
    assert (name, preset.name, preset.kimg) == ("squares", "quick", 2.5)
    settings.pop("console")
    assert settings == {
        "out": Path("here"), "seed": 3, "objective": "minimax", "device": "cpu", "threads": 2,
        "devices": 2, "precision": "float32", "start": None, "data_options": {"colours": "there"},
    }  # fmt: skip


def test_train_defaults_leave_data_options_out(training):
    assert run("train", "squares").exit_code == 0
    ((_, preset, settings),) = training.calls
    assert preset.kimg == 1.0
    assert settings["data_options"] == {}
    assert settings["device"] == "auto"
    assert settings["objective"] == preset.objective == "rpgan"
    assert (settings["devices"], settings["start"]) == (1, None)


def test_train_help_has_the_generators_own_options(squares):
    assert "--colours" not in run("train", "--help").output
    output = run("train", "squares", "--help").output
    assert "--colours" in output
    assert "Folder of colours." in output
    assert "quick" in output


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["sqares"], "there is no generator 'sqares'; did you mean 'squares'?"),
        ([], "name a generator to train"),
        (["squares", "--preset", "slow"], "squares has no preset 'slow'; choose one of quick."),
        (["--resume", "gone"], "there is no run folder gone."),
    ],
)
def test_train_bad_input(training, args, text):
    assert text in read_error(run("train", *args))
    assert training.calls == []


def test_train_resume(training, tmp_path):
    folder = make_run(tmp_path / "runs" / "squares-20260131-1")
    assert run("train", "--resume", str(folder)).exit_code == 0
    assert run("train", "squares", "--resume", str(folder)).exit_code == 0
    assert run("train", "--resume", str(folder), "--trusted").exit_code == 0
    assert training.calls == [("squares", folder, trusted) for trusted in (False, False, True)]
    assert "leave out --kimg" in read_error(run("train", "--resume", str(folder), "--kimg", "3"))
    (folder / "config.toml").unlink()
    assert "is not a run folder" in read_error(run("train", "--resume", str(folder)))


def test_training_without_its_packages_names_the_extra(squares, tmp_path):
    """Run without the modules that only training needs."""
    code = (
        "import sys\nfor name in ('torch', 'onnx'): sys.modules[name] = None\n"
        "from ganassets.cli import main\nsys.argv[1:] = ARGS\nmain()"
    )
    make_run(tmp_path / "runs" / "squares-20260131-1")
    path = f"{squares.folder}:{os.environ.get('PYTHONPATH', '')}"
    for args in (["train", "squares"], ["export", str(tmp_path / "runs" / "squares-20260131-1"), "--onnx"]):
        result = run_python(code.replace("ARGS", repr(args)), PYTHONPATH=path)
        assert result.returncode == 1, result.stderr
        assert (
            result.stderr
            == 'Error: this needs torch, which is not installed; install it with pip install "ganassets[train]".\n'
        )


@pytest.fixture
def exported(squares, monkeypatch, tmp_path):
    """Calls of the exporter of runs; the working folder is empty."""
    calls: list[tuple] = []

    def export_run(spec, run, out, console, facts, best):
        calls.append((spec.name, run, out, best))
        return out or run / "model.onnx"

    module = types.ModuleType("ganassets.training.onnx_export")
    module.export_run = export_run  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "ganassets.training.onnx_export", module)
    monkeypatch.chdir(tmp_path)
    return calls


def test_export_takes_the_newest_run(exported):
    for name in ("squares-20260131-9", "squares-20260131-10", "squares-20251231-11", "squares-odd", "other-20270101-1"):
        make_run(Path("runs") / name)
    (Path("runs") / "squares-20280101-1").write_text("a file")
    newest = Path("runs/squares-20260131-10")
    for args in (["squares"], [str(newest)]):
        result = run("export", *args, "--onnx")
        assert result.exit_code == 0, result.output
        assert f"Next: ganassets generate {newest / 'model.onnx'}" in result.output
    assert run("export", "--onnx", "--best", "-o", "x.onnx").exit_code == 0
    assert exported == [
        ("squares", newest, None, False),
        ("squares", newest, None, False),
        ("squares", Path("runs/other-20270101-1"), Path("x.onnx"), True),
    ]


def test_export_takes_licence_and_source(exported, monkeypatch):
    make_run(Path("runs") / "squares-20260131-1")
    given = []
    module = sys.modules["ganassets.training.onnx_export"]
    monkeypatch.setattr(module, "export_run", lambda *args: given.append(args[-2]) or Path("x"))
    assert run("export", "squares", "--onnx", "--licence", "CC-BY-4.0", "--source", "my own").exit_code == 0
    assert run("export", "squares", "--onnx").exit_code == 0
    assert given == [{"licence": "CC-BY-4.0", "source": "my own"}, {}]


def test_export_bad_input(exported):
    assert "name a format" in read_error(run("export", "squares"))
    assert "there is no run of squares in runs/" in read_error(run("export", "squares", "--onnx"))
    assert "there is no run in runs/" in read_error(run("export", "--onnx"))
    assert "neither a run folder nor a generator" in read_error(run("export", "sqares", "--onnx"))


@pytest.mark.parametrize("group", ["plugins", "sliders"])
def test_a_group_without_a_command_shows_its_help_page(group):
    assert "Commands:\n" in run(group).output
