"""The worker process: models, thumbnails, jobs, cancellation and bad input."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganassets.api.assets import Option
from ganassets.api.options import option_values
from ganassets_blender import serve
from ganassets_images import EXPORTER as IMAGES

PATIENCE = 300  # seconds; machines that run tests are slow now and then
LISTED = {"faces", "poses", "textures"}


class WorkerClient:
    """A worker process that the test talks to."""

    def __init__(self, *words: str) -> None:
        words = words or ("-m", "ganassets_blender.serve")
        command = [sys.executable, "-s", "-P", *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.number = 0

    def send(self, **request: Any) -> int:
        assert self.process.stdin
        self.number += 1
        self.process.stdin.write(json.dumps({"id": self.number, **request}) + "\n")
        self.process.stdin.flush()
        return self.number

    def lines(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        for line in self.process.stdout:
            message = json.loads(line)
            if "beat" not in message and "hello" not in message:
                yield message

    def ask(self, **request: Any) -> list[dict[str, Any]]:
        """All answers to a request."""
        number, found = self.send(**request), []
        for message in self.lines():
            if message.get("id") == number:
                found.append(message)
                if {"done", "error", "cancelled"} & message.keys():
                    return found
        pytest.fail("the process has ended")


@pytest.fixture(scope="module")
def server() -> Iterator[WorkerClient]:
    one = WorkerClient()
    yield one
    assert one.process.stdin and one.process.stdout
    one.process.stdin.close()
    assert one.process.wait(PATIENCE) == 0, "it ends when its input ends"
    one.process.stdout.close()


def test_models(server: WorkerClient, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07nonsense")
    (tmp_path / "cut.onnx").write_bytes(Path(boxed(server, "poses")["path"]).read_bytes()[:100_000])
    (answer,) = server.ask(do="models", paths=[str(tmp_path / "broken.onnx"), str(tmp_path / "none.onnx")])
    found = {Path(model["path"]).name: model for model in answer["done"]}
    assert {model["name"] for model in answer["done"] if model["boxed"]} >= LISTED
    assert "not a whole ONNX file" in found["broken.onnx"]["error"] and "is not there" in found["none.onnx"]["error"]
    textures = found["textures.onnx"]
    assert textures["kind"] == "textures" and textures["stride"] == 16
    material = next(condition for condition in textures["conditions"] if condition["name"] == "material")
    assert "brick" in material["choices"]
    (answer,) = server.ask(do="models", paths=[str(tmp_path)])
    assert not any("error" in model for model in answer["done"]), "broken files in folders are skipped"


def boxed(server: WorkerClient, name: str) -> dict[str, Any]:
    (answer,) = server.ask(do="models")
    return next(model for model in answer["done"] if model["name"] == name)


def test_thumbnails(server: WorkerClient, tmp_path: Path) -> None:
    job = {"model": "textures", "seeds": "3-4", "size": "64"}
    answers = server.ask(do="thumbnails", job=job, folder=str(tmp_path), side=64)
    files = [answer["thumbnail"]["file"] for answer in answers[:-1]]
    assert [answer["thumbnail"]["seed"] for answer in answers[:-1]] == [3, 4]
    for file in files:
        with Image.open(file) as image:
            assert image.size == (64, 64) and image.mode == "RGBA"
    before = Path(files[0]).stat().st_mtime_ns
    again = server.ask(do="thumbnails", job=job, folder=str(tmp_path), side=64)
    assert [answer["thumbnail"]["file"] for answer in again[:-1]] == files
    assert Path(files[0]).stat().st_mtime_ns == before, "existing thumbnails are not rendered again"


APART = """
from ganassets_blender import serve
serve.ThumbnailRenderer = None
serve.main()
"""


def test_thumbnails_of_an_untrusted_model(server: WorkerClient, tmp_path: Path) -> None:
    """The thumbnails are the same, but the model is not opened in the worker process."""
    own = tmp_path / "own.onnx"
    own.write_bytes(Path(boxed(server, "textures")["path"]).read_bytes())
    files, apart = [], WorkerClient("-c", APART)
    for model, one in ((str(own), apart), ("textures", server)):
        folder = tmp_path / f"of-{one is server}"
        job = {"model": model, "seeds": "3-4", "size": "64"}
        *answers, end = one.ask(do="thumbnails", job=job, folder=str(folder), side=64)
        assert [answer["thumbnail"]["seed"] for answer in answers] == [3, 4] and "done" in end
        files.append([Path(answer["thumbnail"]["file"]).read_bytes() for answer in answers])
    assert files[0] == files[1]
    assert apart.process.stdin and apart.process.stdout
    apart.process.stdin.close()
    assert apart.process.wait(PATIENCE) == 0
    apart.process.stdout.close()


SLOW = """
import time
from ganassets_blender import serve
serve.THUMBNAIL_TIMEOUT = 0.5
serve.ThumbnailRenderer.render = lambda *_: time.sleep(60)
serve.main()
"""


def test_a_thumbnail_that_never_ends(tmp_path: Path) -> None:
    server = WorkerClient("-c", SLOW)
    job = {"model": "textures", "seeds": "1", "size": "64"}
    server.send(do="thumbnails", job=job, folder=str(tmp_path), side=64)
    assert not list(server.lines()) and server.process.wait(PATIENCE) == 1
    assert server.process.stdin and server.process.stdout
    server.process.stdin.close()
    server.process.stdout.close()


def test_old_thumbnails_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MAX_THUMBNAILS", 2)
    for age in range(5):
        path = tmp_path / f"{age}.png"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    serve.prune_cache(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png"]


def test_a_job_has_the_bytes_of_the_command_line(server: WorkerClient, tmp_path: Path) -> None:
    from ganassets.cli import cli

    job = {"model": "textures", "seeds": "5,9", "size": "64", "sliders": {"material": "brick"}}
    *steps, end = server.ask(do="run", job=job, out=str(tmp_path / "a"), threads=1)
    assert [step["progress"] for step in steps] == [[0, 2], [1, 2], [2, 2]]
    assert end["done"] == {"assets": ["textures-00000005", "textures-00000009"], "failures": []}
    arguments = ["generate", "textures", "--seeds", "5,9", "--size", "64", "--material", "brick", "--to", "images"]
    cli.main([*arguments, "--no-preview", "-o", str(tmp_path / "b")], standalone_mode=False)
    pictures = sorted((tmp_path / "b").glob("*.png"))
    assert len(pictures) == 8
    for path in pictures:
        ours, theirs = ((tmp_path / side / path.name).read_bytes() for side in "ab")
        assert without_recipe(ours) == without_recipe(theirs)


def without_recipe(png: bytes) -> str:
    """Digest of a picture's pixels as they are compressed: the texts before them name the format."""
    return hashlib.sha256(png[png.index(b"IDAT") :]).hexdigest()


def test_a_job_continues_where_it_stopped(server: WorkerClient, tmp_path: Path) -> None:
    job = {"model": "textures", "seeds": "1-2", "size": "64"}
    server.ask(do="run", job=job, out=str(tmp_path), threads=1)
    *steps, end = server.ask(do="run", job=job, out=str(tmp_path), threads=1)
    assert len(end["done"]["assets"]) == 2 and len(steps) == 1


def test_cancelling(server: WorkerClient, tmp_path: Path) -> None:
    job = {"model": "textures", "seeds": "1-400", "size": "64"}
    number = server.send(do="run", job=job, out=str(tmp_path), threads=1)
    for message in server.lines():
        if message.get("progress", [0])[0] == 3:
            server.send(do="cancel", id=number)
        if message.get("cancelled"):
            break
        assert "done" not in message, "it was not cancelled"
    assert len(list(tmp_path.glob("*.json"))) < 400


BAD = [
    ({"model": "nothing"}, "model", "nothing"),
    ({"model": "textures", "seeds": "x"}, "looks", "seeds"),
    ({"model": "textures", "seeds": "1", "size": "100"}, "looks", "multiple of 16"),
    ({"model": "textures", "seeds": "1", "sliders": {"material": "cheese"}}, "looks", "cheese"),
    ({"model": "textures", "seeds": "1", "alien": 1}, "making", "alien"),
    ({"model": "/etc/passwd"}, "model", "passwd"),
]


@pytest.mark.parametrize(("job", "about", "words"), BAD, ids=[words for *_, words in BAD])
def test_bad_jobs_are_one_sentence(server: WorkerClient, tmp_path: Path, job: Any, about: str, words: str) -> None:
    (answer,) = server.ask(do="run", job=job, out=str(tmp_path), threads=1)
    assert words in answer["error"] and "\n" not in answer["error"] and answer["about"] == about


def test_a_memory_limit(server: WorkerClient, tmp_path: Path) -> None:
    job = {"model": "textures", "seeds": "1", "size": "2048"}
    (answer,) = server.ask(do="run", job=job, out=str(tmp_path), memory=1.0)
    assert "GB" in answer["error"] and answer["about"] == "looks"


def test_a_folder_that_cannot_be_written(server: WorkerClient, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    job = {"model": "textures", "seeds": "1", "size": "64"}
    *_, answer = server.ask(do="run", job=job, out=str(tmp_path / "file"), threads=1)
    assert "can't write" in answer["error"]


def test_an_unknown_request(server: WorkerClient) -> None:
    (answer,) = server.ask(do="dance")
    assert "unexpected" in answer["error"]


def test_defaults_of_pictures() -> None:
    """Check that the options of a material's pictures have the defaults of the command line."""
    options: tuple[Option, ...] = IMAGES.options
    assert option_values(options, {}) == {"format": "png", "depth": "8", "preview": False}
