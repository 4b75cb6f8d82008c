"""The add-on in a window: it draws, reacts to clicks, and Blender stays usable while batches run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
SIZE = (1600, 1000)
TAB = (1307, 258)  # place of the add-on's tab in Blender's default layout, at this window size


@pytest.fixture(scope="module")
def session(display: str, extended_program: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Report of a session, with its log and the folder of its screenshots."""
    folder = tmp_path_factory.mktemp("window")
    report = folder / "report.json"
    geometry = ["--window-geometry", "0", "0", *map(str, SIZE)]
    environment = {**os.environ, **extended_program.variables, "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
    command = [shutil.which("blender") or "", *geometry, "--python", str(HERE / "scripts/use_window.py")]
    with (folder / "log.txt").open("w") as log:
        blender = subprocess.Popen([*command, "--", str(report), str(folder)], env=environment, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 300
            while not report.exists() and blender.poll() is None and time.monotonic() < end:
                # Click repeatedly, because the first clicks may come before the window.
                if not (folder / "panel.png").exists():
                    words = ["xdotool", "mousemove", *map(str, TAB), "sleep", "0.2", "click", "1"]
                    subprocess.run(words, env=environment, check=False)
                time.sleep(1.5)
            blender.wait(300)
        finally:
            blender.kill()
    text = (folder / "log.txt").read_text()
    assert report.exists(), text[-3000:]
    found = json.loads(report.read_text())
    assert found["error"] == "", found["error"]
    return {**found, "log": text, "folder": folder}


def test_no_panel_fails_to_draw(session: dict[str, Any]) -> None:
    assert "Traceback" not in session["log"] and "Error" not in session["log"], session["log"][-3000:]


def test_opening_the_panel_finds_the_models(session: dict[str, Any]) -> None:
    assert {"faces", "poses", "textures"} <= set(session["models"])


def test_a_batch_lands_while_the_user_edits(session: dict[str, Any]) -> None:
    assert session["grid"]["state"] == "done", session["grid"]
    assert session["mode"] == "EDIT" and len(session["placed"]) == 20


def test_a_job_is_one_step_of_undo(session: dict[str, Any]) -> None:
    assert session["undone"] == [] and session["mode after undo"] == "EDIT"
    assert session["redone"] == session["placed"]


def test_a_library_is_filled_and_known(session: dict[str, Any]) -> None:
    assert session["library"]["state"] == "done" and session["library"]["result"]["new"] == 30, session["library"]
    (volume,) = map(Path, session["library"]["result"]["volumes"])
    assert volume.is_file() and str(volume.parents[1]) == session["libraries"]["GAN Assets"].rstrip("/")


def test_thumbnails_are_drawn_and_picked(session: dict[str, Any]) -> None:
    assert session["picked"] == "3"
    before, after = (np.asarray(Image.open(session["folder"] / f"{name}.png")) for name in ("panel", "thumbnails"))
    side = slice(1100, 1300)
    assert before.shape == after.shape == (SIZE[1], SIZE[0], before.shape[2])
    assert len(np.unique(after[:, side, :3].reshape(-1, 3), axis=0)) > 2 * len(
        np.unique(before[:, side, :3].reshape(-1, 3), axis=0)
    ), "thumbnails have more colours than buttons"
