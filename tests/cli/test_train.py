"""`ganassets train` where the disk refuses a run's file."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

import pytest

from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.writer import write_error
from ganassets.cli.train import explain_how_to_resume
from support.command_line import read_error, run


@pytest.fixture
def begun(tmp_path) -> Path:
    """A run with a checkpoint, in a folder with a blank in its name."""
    folder = tmp_path / "my run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.toml").touch()
    (folder / "checkpoints" / "0000000008.safetensors").touch()
    return folder


def refused(folder: Path, number: int = errno.ENOSPC) -> InputError:
    return write_error(folder, OSError(number, os.strerror(number)))


@pytest.mark.parametrize("place", [".", "checkpoints", "snapshots"])
def test_a_full_disk_reports_how_to_resume(begun, place):
    with pytest.raises(GanassetsError) as caught, explain_how_to_resume("faces"):
        raise refused(begun / place)
    assert caught.value.exit_code == 1
    message, _, command = str(caught.value).partition("then continue with `")
    assert message == f"can't write in {begun / place}: there is no space left on the device; free some, "
    assert shlex.split(command.removesuffix("`.")) == ["ganassets", "train", "faces", "--resume", str(begun)]


def test_a_run_without_a_checkpoint_is_not_resumed(begun):
    (begun / "checkpoints" / "0000000008.safetensors").unlink()
    with pytest.raises(InputError, match="free some or choose another folder"), explain_how_to_resume("faces"):
        raise refused(begun)


def test_the_command_says_so(squares, begun, monkeypatch):
    def train(*args, **kwargs):
        raise refused(begun, errno.EFBIG)

    monkeypatch.setattr("ganassets.cli.train.load_training", lambda module, function: train)
    text = read_error(run("train", "squares", "--precision", "float32"), 1)
    assert text.endswith(
        f"larger than allowed there; fix that, then continue with `ganassets train squares --resume '{begun}'`."
    )
