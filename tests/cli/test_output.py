"""The output of the command line: texts from files can't control any terminal."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.progress import Progress
from rich.table import Table

from ganassets.api.errors import InputError
from ganassets.cli.base import LazyGroup, debug_option
from ganassets.cli.output import make_console, say, say_json, say_lines

ROOT = Path(__file__).parents[2]
HOSTILE = "a\x1b]0;title\x07\x9b31m\u202eb\nc[red]d[/nope]:bomb:"
SHOWN = "a ]0;title  31m b c[red]d[/nope]:bomb:"


def test_lines_only_show():
    runner = CliRunner()

    @click.command()
    def command():
        say(HOSTILE)
        say(HOSTILE, err=True)
        say_lines("one\x1b\ntwo")
        say_json({"name": os.fsdecode(b"\xe9")})

    result = runner.invoke(command)
    assert result.stdout == f"{SHOWN}\none \ntwo\n" + json.dumps({"name": "\\xe9"}, indent=2) + "\n"
    assert result.stderr == f"{SHOWN}\n"


def test_consoles_only_show():
    console = make_console()
    console.file = io.StringIO()
    console.width = 100
    console.print("x\x1b[2J[bold]", soft_wrap=True)
    table = Table(box=None, show_header=False)
    table.add_row("y\x1b[2J[bold]\x9b", ":bomb:")
    console.print(table)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines == ["x [2J[bold]", " y [2J[bold]   :bomb:"]


def test_progress_only_shows():
    console = make_console()
    console.file = io.StringIO()
    with Progress(console=console, disable=False) as bar:
        bar.add_task("z\x1b[2J\x9b", total=1)
    assert "z" in console.file.getvalue()
    assert "\x1b[2J" not in console.file.getvalue() and "\x9b" not in console.file.getvalue()


class Group(LazyGroup):
    """A group with the commands of these tests."""

    def list_commands(self, ctx):
        return ["fail", "take", "warn"]

    def get_command(self, ctx, cmd_name):
        return {"fail": fail, "take": take, "warn": warn}.get(cmd_name)


@click.command()
def fail():
    raise InputError(f"{HOSTILE} is bad")


@click.command()
@click.argument("name", type=click.IntRange(1))
def take(name): ...


@click.command()
@debug_option
def warn():
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("odd numbers", RuntimeWarning, stacklevel=1)
    raise InputError("it is bad.")


@click.group(cls=Group)
def group(): ...


def test_errors_only_show():
    assert CliRunner().invoke(group, ["fail"]).stderr == f"Error: {SHOWN} is bad\n"


@pytest.mark.parametrize(
    "args", [["take", f"--{HOSTILE}"], ["take", HOSTILE], ["take", "1", HOSTILE], [f"--{HOSTILE}"], [HOSTILE]]
)
def test_errors_of_usage_only_show(args):
    result = CliRunner().invoke(group, args)
    assert result.exit_code == 2 and "Error: " in result.stderr
    assert all(line.isprintable() for line in result.stderr.split("\n"))


def test_warnings_are_for_those_who_debug(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *rest: shown.append(str(message)))
    assert CliRunner().invoke(group, ["warn"]).stderr == "Error: it is bad.\n"
    assert shown == []
    CliRunner().invoke(group, ["warn", "--debug"])
    assert shown == ["odd numbers"]


def start(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own."""
    command = [sys.executable, "-m", "ganassets", *args]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=120)


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_terminals_without_letters_show_question_marks(environment):
    done = start("inspect", "für.png", **environment)
    assert done.returncode == 2
    assert b"Error: " in done.stderr and b"Traceback" not in done.stderr
    assert start("generate", "faces", "--help", **environment).returncode == 0
    assert start("models", **environment).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_names_that_are_no_text_are_shown_and_reported(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"no picture")
    for environment in ({"PYTHONIOENCODING": "utf-8"}, {"PYTHONIOENCODING": "ascii"}):
        done = start("inspect", os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png"), **environment)
        assert done.returncode == 2
        assert b"caf\\xe9.png is damaged" in done.stderr


def calls(path: Path) -> list[str]:
    """Functions that a source file calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_nothing_is_printed_any_other_way():
    other = {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write", "Console"}
    for room in ("ganassets/cli", "blender/ganassets_blender_commands"):
        for path in (ROOT / room).glob("*.py"):
            if path.name != "output.py":
                assert not other.intersection(calls(path)), f"{path}: use ganassets.cli.output"


def test_processes_that_it_starts_keep_warnings_to_themselves():
    code = """
import os, sys
from ganassets.cli import main
try:
    main()
finally:
    print(os.environ.get("PYTHONWARNINGS"))
"""
    for args, error_text in ((["--version"], "ignore"), (["--version", "--debug"], "None")):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        command = [sys.executable, "-c", code, *args]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.stdout.splitlines()[-1] == error_text
