"""A Blender that is started beside and can't serve is refused in one sentence; tests/real has real ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import ganassets.api.blender
from ganassets.api.blender import START, VARIABLE, Blender, blender_command
from ganassets.api.errors import GanassetsError, InputError
from support.stand_in_blender import put_bpy

ECHO = """
import json, sys, time
for line in sys.stdin:
    if json.loads(line) == "die":
        sys.exit("an Error of its own")
    if json.loads(line) == "hang":
        time.sleep(60)
    print("GANASSETS " + json.dumps({"error": "", "asked": json.loads(line)}), flush=True)
"""
PYTHON = "{}.{}.{}".format(*sys.version_info)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "echo.py"
    path.write_text(ECHO)
    return path


def make_program(path: Path, body: str) -> str:
    """A program that is a script of the shell."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def refusal(start: list[str]) -> str:
    """Return the message about a Blender at its first use; the process ends afterwards."""
    blender = Blender(start)
    try:
        with pytest.raises(InputError) as caught:
            blender.ask({"do": "it"})
    finally:
        blender.close()
    return str(caught.value)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules that Blender's Python finds before all others."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    return put_bpy(tmp_path / "modules")


@pytest.mark.usefixtures("module")
def test_one_that_serves(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)
    blender = Blender(blender_command(script, "this needs"))
    try:
        for number in (1, 2):
            assert blender.ask({"number": number}) == {"error": "", "asked": {"number": number}}
        with pytest.raises(
            GanassetsError, match=r"^Blender ended before it had answered: an Error of its own$"
        ) as caught:
            blender.ask("die")  # pyright: ignore[reportArgumentType]
        assert caught.value.exit_code == 1, "it did start"
    finally:
        blender.close()


@pytest.mark.usefixtures("module")
def test_one_that_hangs_is_ended(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blender = Blender([sys.executable, str(START), "--", str(script)])
    try:
        blender.wait_until_ready()
        monkeypatch.setattr(ganassets.api.blender, "TIMEOUT", 0.2)
        with pytest.raises(GanassetsError, match="Blender ended before it had answered: it said nothing"):
            blender.ask("hang")  # pyright: ignore[reportArgumentType]
        assert not blender.usable()
    finally:
        blender.close()


def test_a_program_is_given_the_script(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(tmp_path / "blender", "exit 0")
    monkeypatch.setenv(VARIABLE, program)
    start = blender_command(script, "this needs")
    assert start[0] == program and start[-4:] == ["--python", str(START), "--", str(script)]


def test_one_without_numpy(script: Path, module: Path) -> None:
    (module / "numpy.py").write_text("raise ImportError('no such module.')")
    assert refusal([sys.executable, str(START), "--", str(script)]) == (
        f"{sys.executable} (Blender 4.5.0, Python {PYTHON}) can't import numpy (no such module): install it for that "
        f"Python (on Debian: apt install python3-numpy), or name another Blender in {VARIABLE}."
    )


def test_one_that_is_too_old(script: Path, module: Path) -> None:
    put_bpy(module, (2, 93, 18))
    assert refusal([sys.executable, str(START), "--", str(script)]) == (
        f"{sys.executable} (Blender 2.93.18, Python {PYTHON}) is too old; use 3.4 or later: name "
        f"another Blender in {VARIABLE}."
    )


def test_a_python_whose_module_does_not_load(script: Path, module: Path) -> None:
    (module / "bpy.py").write_text("raise ImportError('libSM.so.6: cannot open shared object file')")
    assert refusal([sys.executable, str(START), "--", str(script)]) == (
        f"{sys.executable} (Python {PYTHON}) can't import Blender's module bpy (libSM.so.6: cannot open shared object "
        f"file): name another Blender in {VARIABLE}."
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo no display >&2; exit 1", "no display"),
        ("echo 'Error: wrong library'; echo more; exit 127", "Error: wrong library"),
        ("exit 0", "it said nothing"),
    ],
)
def test_one_that_does_not_start(script: Path, tmp_path: Path, body: str, why: str) -> None:
    program = make_program(tmp_path / "blender", body)
    said = refusal([program, "-b", "--python", str(START), "--", str(script)])
    assert said == f"{program} doesn't start as Blender ({why}): name another Blender in {VARIABLE}."


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "blender").write_bytes(b"\x7fELF nothing")
    (tmp_path / "blender").chmod(0o755)
    with pytest.raises(InputError, match=r"blender doesn't start \(.+\): name another Blender in GANASSETS_BLENDER\.$"):
        Blender([str(tmp_path / "blender")])


@pytest.mark.usefixtures("module")
def test_no_module_of_ours_is_found_by_its_bare_name(tmp_path: Path) -> None:
    script = tmp_path / "looks.py"
    script.write_text("import manifest")
    blender = Blender([sys.executable, str(START), "--", str(script)])
    try:
        with pytest.raises(GanassetsError, match="No module named 'manifest'"):
            blender.ask({})
    finally:
        blender.close()
