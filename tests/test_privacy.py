"""No command opens a connection, looks up a name, or leaves files in other places; see docs/privacy.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.sprites import write_sprites

SUPPORT = Path(__file__).with_name("support")
NAMESPACE = ("unshare", "--map-root-user", "--net", "--mount")
TRAIN = "train portraits --data pictures --kimg 0.02 --device cpu --threads 1"
RESUME = "train --resume run"
# Commands in their order, each with its files in the working folder.
COMMANDS = {
    "plugins list": "",
    "plugins check portraits": "",
    "completion bash": "",
    "models": "",
    "data pictures --seconds 0": "",
    f"{TRAIN} --out run": "run",
    RESUME: "",
    "report run": "",
    "export run --onnx -o model.onnx": "model.onnx",
    "inspect model.onnx": "",
    f"{TRAIN} --from model.onnx --trusted --out tuned": "tuned",
    "evaluate model.onnx --trusted --data pictures --samples 16": "",
    "generate model.onnx -n 1 -o portraits": "portraits",
    "generate faces -n 1 -o faces": "faces",
    "generate textures -n 1 --size 64 -o textures": "textures",
    "generate poses -n 1 --seconds 0.5 -o poses": "poses",
    "regenerate textures/textures-00000001_baseColor.png -o again": "again",
    "batch jobs.toml --workers 2 -o assets": "assets",
    "morph textures 1 2 --size 64 --steps 2 -o morphed": "morphed",
    "mix textures 1 2 --size 64 -o mixed": "mixed",
    "vary textures 1 -n 1 --size 64 -o varied": "varied",
    "sliders discover model.onnx --trusted --count 2 --sheets sheets": "model.sliders.json sheets",
    "sliders list model.onnx": "",
    "sliders rename model.onnx found-1 mood": "",
    "invert model.onnx --trusted pictures/elf/0.png --seconds 1 --tries 8 -o inverted": "inverted",
}
IN_BLENDER = {
    "generate poses -n 1 --seconds 0.5 --to fbx -o fbx": "fbx",
    "blender library textures -n 1 --size 64 -o library": "library",
}
JOBS = '[[job]]\nmodel = "textures"\nseeds = "1-2"\nsize = "64"\n'
# Asks as the add-on does.
ASKING = """
import json, subprocess, sys
command = [sys.executable, "-s", "-P", "-m", "ganassets_blender.serve"]
job = {"model": "textures", "seeds": "3", "size": "64"}
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
    for request in ({"do": "models"}, {"do": "thumbnails", "job": job, "folder": ".", "side": 64}):
        print(json.dumps({"id": 1, **request}), file=process.stdin, flush=True)
        print(next(line for line in process.stdout if "done" in line or "error" in line), end="")
    process.stdin.close()
"""
CHATTY = """
import contextlib, pathlib, socket
(pathlib.Path.home() / "id").touch()
for host in ("collector.example", "192.0.2.1", "2001:db8::1"):
    with contextlib.suppress(OSError):
        socket.create_connection((host, 443), timeout=5)
"""


class Sandbox:
    """A home, a folder for temporary files and a network with nobody else in it.

    Attributes:
        work: the working folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.outside = [folder / name for name in ("home", "cache", "config", "data", "state", "tmp")]
        for path in (*self.outside, self.work, folder / "watch"):
            path.mkdir()
        places = dict(zip(("HOME", *(f"XDG_{name}_HOME" for name in ("CACHE", "CONFIG", "DATA", "STATE")), "TMPDIR"),
                          map(str, self.outside), strict=True))  # fmt: skip
        given = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
        self.environment = {**given, **places, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run Python with some arguments in it."""
        watch = (sys.executable, str(SUPPORT / "network_watch.py"), str(self.folder / "watch"))
        words = [*NAMESPACE, *watch, sys.executable, *command]
        return subprocess.run(words, cwd=self.work, env=self.environment, capture_output=True, text=True, check=False)

    def sent(self) -> list[str]:
        """Packets of the last command."""
        return json.loads((self.folder / "watch" / "packets.json").read_text())

    def left(self) -> list[str]:
        """Files outside the working folder."""
        found = (path for folder in self.outside for path in folder.rglob("*") if not path.is_dir())
        return sorted(str(path.relative_to(self.folder)) for path in found)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty sandbox; skips where this user may not make a network, or has no program to set one up."""
    for program in ("unshare", "ip", "mount"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    made = Sandbox(tmp_path)
    done = made.run("-c", "")
    if done.returncode:
        pytest.skip(f"no network of its own can be made here: {done.stderr[-300:]}")
    return made


def test_what_a_chatty_program_does_is_seen(sandbox: Sandbox) -> None:
    sandbox.run("-c", CHATTY)
    assert sandbox.left() == ["home/id"]
    sent = " ".join(sandbox.sent())
    assert "collector.example" in sent and "192.0.2.1" in sent and "2001:db8::1" in sent


def check_command(sandbox: Sandbox, command: str, made: str) -> None:
    """Run a command, which makes so much in the working folder, and nothing elsewhere."""
    before = {path.name for path in sandbox.work.iterdir()}
    done = sandbox.run("-m", "ganassets", *command.split())
    assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    assert {path.name for path in sandbox.work.iterdir()} - before == set(made.split()), command
    assert sandbox.left() == [] == sandbox.sent(), command


@pytest.mark.slow
def test_commands_contact_nobody_and_leave_nothing(sandbox: Sandbox) -> None:
    pytest.importorskip("torch")
    write_sprites(sandbox.work / "pictures", opaque=True)
    (sandbox.work / "jobs.toml").write_text(JOBS)
    for command, made in COMMANDS.items():
        if command == RESUME:
            max((sandbox.work / "run" / "checkpoints").glob("[0-9]*")).unlink()  # so that steps are left
        check_command(sandbox, command, made)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("blender"), reason="needs Blender")
@pytest.mark.parametrize(("command", "made"), IN_BLENDER.items())
def test_blender_in_the_background_contacts_nobody(sandbox: Sandbox, command: str, made: str) -> None:
    check_command(sandbox, command, made)


@pytest.mark.slow
def test_usd_contacts_nobody(sandbox: Sandbox) -> None:
    pytest.importorskip("pxr")
    check_command(sandbox, "generate poses -n 1 --seconds 0.5 --to usd -o usd", "usd")


def test_the_process_beside_blender_contacts_nobody(sandbox: Sandbox) -> None:
    done = sandbox.run("-c", ASKING)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 2 and all("done" in answer for answer in answers), answers
    assert sandbox.left() == [] == sandbox.sent()


@pytest.mark.parametrize("module", ["ganassets.inference.model", "ganassets_faces", "ganassets_gltf"])
def test_who_imports_a_module_is_not_reported_either(sandbox: Sandbox, module: str) -> None:
    done = sandbox.run("-c", f"import {module}, onnxruntime; print(onnxruntime.get_available_providers())")
    assert done.returncode == 0 and "CPUExecutionProvider" in done.stdout
    assert sandbox.left() == [] == sandbox.sent()
