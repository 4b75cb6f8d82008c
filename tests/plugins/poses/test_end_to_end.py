"""The poses generator from motion files to clips: train, stop, resume, export, generate."""

from __future__ import annotations

import io
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ganassets.api.motion.measures import loop_gap
from ganassets.api.motion.retarget import to_humanoid
from ganassets.cli import cli
from ganassets_poses.readers import read_bvh
from support.poses_data import TINY, write_folder

pytestmark = pytest.mark.slow
RUN = "runs/poses-20260131-1"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with motion, and a run that was stopped half way, resumed and exported."""
    torch = pytest.importorskip("torch")
    import ganassets_poses
    from ganassets.training.trainer import Trainer

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    folder = tmp_path_factory.mktemp("poses")
    write_folder(folder / "clips")
    with pytest.MonkeyPatch.context() as patch:
        from dataclasses import replace

        preset = replace(TINY, name="quick", samples=64, batch=8)
        patch.setattr(ganassets_poses, "SPEC", replace(ganassets_poses.SPEC, presets=(preset,)))
        patch.chdir(folder)
        original = Trainer.step

        def stopping(trainer: Trainer) -> dict[str, float]:
            if trainer.images == 96:
                signal.raise_signal(signal.SIGTERM)
            return original(trainer)

        train = f"train poses --data clips --out {RUN} --kimg 0.2 --threads 1 --device cpu".split()
        with pytest.MonkeyPatch.context() as stop:
            stop.setattr(Trainer, "step", stopping)
            stopped = CliRunner().invoke(cli, train)
        assert stopped.exit_code == 130, stopped.output
        assert f"--resume {RUN}" in stopped.output
        (folder / "stopped.txt").write_text(stopped.output)
        run("train", "--resume", RUN)
        run("export", RUN, "--onnx")
    yield folder
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture
def desk(workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the run."""
    shutil.copytree(workshop / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> str:
    """Run a command that must succeed and return its output."""
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0, f"{' '.join(args)}: {result.output}"
    return result.output


def test_training_reports_its_data(workshop):
    text = (workshop / "stopped.txt").read_text()
    assert "repetitions and single actions: " in text and "left out" not in text
    card = json.loads((workshop / RUN / "data.json").read_text())
    assert card["samples"] == 64 and "CC0-1.0" in card["licence"]


def test_snapshots_are_pictures_of_figures(workshop):
    pictures = sorted((workshop / RUN / "snapshots").glob("*.png"))
    assert [int(path.stem) for path in (pictures[0], pictures[-1])] == [0, 200]
    with Image.open(pictures[-1]) as picture:
        assert min(picture.size) > 200 and np.asarray(picture.convert("L")).std() > 5


def test_loops_as_bvh(desk):
    args = ("--action", "walk", "--loop", "--seconds", "2", "--to", "bvh", "--rig", "mixamo", "-n", "3")
    run("generate", RUN, *args, "-o", "walks")
    files = sorted(Path("walks").glob("*.bvh"))
    assert [file.name for file in files] == [f"poses-{seed:08d}.bvh" for seed in (1, 2, 3)]
    assert b"mixamorig" in files[0].read_bytes()
    for file in files:
        clip = to_humanoid(read_bvh(file.read_bytes(), file.stem))
        assert clip.seconds == pytest.approx(2, abs=1e-3) and len(clip) == 61
        assert loop_gap(clip)[0] < 1e-2, "as good as BVH's digits"
    assert len({file.read_bytes() for file in files}) == 3
    with Image.open("walks/contact-sheet.png") as sheet:
        assert min(sheet.size) > 100


def test_jumps_as_gltf(desk):
    run("generate", "poses", "--action", "jump", "--no-loop", "--fps", "60", "-n", "2", "-o", "jumps", "--no-preview")
    files = sorted(Path("jumps").glob("*.glb"))
    assert len(files) == 2 and all(file.read_bytes()[:4] == b"glTF" for file in files)


def test_a_seed_is_the_same_alone_and_among_others(desk):
    run("generate", RUN, "--to", "bvh", "-n", "9", "-o", "many", "--no-preview")
    run("generate", RUN, "--to", "bvh", "--seeds", "4", "-o", "one", "--no-preview")
    alone, among = (Path(f"{folder}/poses-00000004.bvh").read_text() for folder in ("one", "many"))
    rows, others = (np.loadtxt(io.StringIO(text.split("Frame Time:")[1].split("\n", 1)[1])) for text in (alone, among))
    np.testing.assert_allclose(rows, others, atol=1e-2)


def test_a_single_pose(desk):
    run("generate", RUN, "--pose", "0.5", "--to", "bvh", "-n", "1", "-o", "pose")
    assert "Frames: 1\n" in Path("pose/poses-00000001.bvh").read_text()


def test_conditions_that_the_model_has_not_learnt(desk):
    result = CliRunner().invoke(cli, ["generate", RUN, "--action", "swim"])
    assert result.exit_code == 2 and "this model has not learnt action swim" in result.output
    assert not Path("out").exists()


def test_sizes_are_the_generators_own(desk):
    result = CliRunner().invoke(cli, ["generate", RUN, "--size", "64"])
    assert result.exit_code == 2 and "models of poses choose their size themselves" in result.output
