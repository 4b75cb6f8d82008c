"""Train on waves for the tests of training; as a program, in a process that tests may kill.

python toy_runs.py train|resume KIND FOLDER CHECKPOINT_SECONDS DEVICES [KIMG]
python toy_runs.py losses FILE DEVICES
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))  # a program has only its own folder there
from ganassets.api.conditions import Condition
from ganassets.api.data import TrainingData
from ganassets.api.errors import GanassetsError
from ganassets.api.outputs import Output
from ganassets.api.spec import GeneratorSpec, Preset
from ganassets.training import run as running
from ganassets.training import training_loop
from ganassets.training.distributed import DistributedContext, make_distributed_context
from ganassets.training.evaluation import monitor
from ganassets.training.trainer import Trainer
from support.domains import CPU, KINDS, ToyDomain, make_data, make_fit, make_preset, make_spec

# Domains of a fixed size and without one, and number of steps of their losses.
LOSS_KINDS, LOSS_STEPS = ("picture", "tile"), 50
CONDITIONS = (Condition("height", "How high.", 0.5, 1.5), Condition("other", "Nothing.", 0, 10))


def no_features() -> None:
    """Replace the feature network, which takes seconds; a monitor then measures without it."""
    raise GanassetsError("not in tests")


def toy_preset(kind: str, **changes: Any) -> Preset:
    """Make a preset of tiny networks, on a linear model if the kind has one."""
    return make_preset(**{"components": KINDS[kind].get("components", 0), **changes})


def toy_spec(kind: str, preset: Preset, change: Callable[[TrainingData], TrainingData] | None = None) -> GeneratorSpec:
    """Make a generator of waves with all its outputs; `change` is applied to its data."""

    def dataset(preset: Preset, options: Any, seed: int, report: Any) -> TrainingData:
        data = make_data(kind, preset.samples, seed)
        return change(data) if change else data

    facts = KINDS[kind]
    axes = ("channel", *("height", "width")[-len(facts["wraps"]) :])
    outputs = [Output(name, axes, "sRGB" if name == "albedo" else "linear") for name in facts["signals"]]
    outputs += [Output(name, ("number",), "m") for name in facts.get("vectors", {})]
    return replace(make_spec(kind, preset, dataset, CONDITIONS), outputs=tuple(outputs))


def quiet() -> Console:
    """Make a console that keeps its output; `printed` reads it."""
    return Console(file=io.StringIO(), width=400)


def printed(console: Console) -> str:
    """Return the output of a quiet console."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def start(spec: GeneratorSpec, out: Path, console: Console | None = None, **changes: Any) -> Path:
    """Train a spec's first preset in a folder."""
    facts = {"seed": 1, "objective": "rpgan", "device": "cpu", "threads": 1, "data_options": {}, **changes}
    return running.train(spec, spec.presets[0], out=out, console=console or quiet(), **facts)


def losses(kind: str, context: DistributedContext) -> list[dict[str, float]]:
    """Return the losses of some steps; a low rate and some width keep small differences from growing."""
    changes = {"kimg": 0.8, "batch": 16, "width": 16, "max_width": 32, "learning_rate": 1e-4, "penalty_interval": 1}
    preset, data = make_preset(**changes), make_data(kind)
    trainer = Trainer(preset, ToyDomain(kind, make_fit(kind, data, preset)), data, "rpgan", CPU, 0, context=context)
    return [trainer.step() for _ in range(LOSS_STEPS)]


def main_losses(what: str, path: str, devices: str) -> None:
    """Write the losses of each kind, computed by several processes."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    context = make_distributed_context("cpu", int(devices))
    found = {kind: losses(kind, context) for kind in LOSS_KINDS}
    if context.is_main_process:
        Path(path).write_text(json.dumps(found), encoding="utf-8")


def main(what: str, kind: str, folder: str, checkpoint_seconds: str, devices: str, kimg: str = "1.0") -> None:
    """Train, or resume a run."""
    monitor.ImageFeatures = no_features  # pyright: ignore[reportAttributeAccessIssue]
    training_loop.CHECKPOINT_SECONDS = float(checkpoint_seconds)
    running.check_export = lambda *arguments: None
    running.choose_hardware = lambda device, threads, devices, precision: replace(CPU, devices=devices)
    spec = toy_spec(kind, toy_preset(kind, kimg=float(kimg)))
    if what == "train":
        start(spec, Path(folder), devices=int(devices))
    else:
        running.resume(spec, Path(folder), quiet())


if __name__ == "__main__":
    try:
        (main_losses if sys.argv[1] == "losses" else main)(*sys.argv[1:])
    except GanassetsError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
