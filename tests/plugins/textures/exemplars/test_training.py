"""Training steps on exemplars: pairs and new layouts, and a resumed run that equals an unbroken one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganassets.api.data import TrainingData
from ganassets.training.checkpoint import load_checkpoint, save_checkpoint
from ganassets.training.evaluation.monitor import Monitor
from ganassets.training.networks import fit_linear
from ganassets.training.plugin_domain import make_noise_map
from ganassets.training.trainer import Trainer
from ganassets_textures import SPEC
from ganassets_textures.networks import material_networks
from support.domains import CPU
from support.exemplars import write_two_sets

pytest.importorskip("efficientnet_lite_pytorch")
PRESET = replace(SPEC.preset("material"), size=32, network_size=32, samples=8, kimg=0.02)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    folder = write_two_sets(tmp_path_factory.mktemp("own"))
    return SPEC.dataset(PRESET, {"data": str(folder)}, 0, lambda done, total: None)


def make_trainer(data: TrainingData) -> Trainer:
    torch.set_num_threads(1)
    domain = SPEC.domain(PRESET, fit_linear(data, PRESET.z_dim, 0, np.random.default_rng(0)))
    return Trainer(PRESET, domain, data, "rpgan", CPU, 0, make_noise_map(SPEC, domain), material_networks)


def run(trainer: Trainer, steps: int) -> list[dict[str, float]]:
    return [trainer.step() for _ in range(steps)]


def test_pairs_and_new_layouts_take_turns(data: TrainingData) -> None:
    trainer = make_trainer(data)
    before = {name: p.clone() for name, p in trainer.generator.named_parameters()}
    seen = {frozenset(metrics) for metrics in run(trainer, 8)}
    assert seen == {frozenset({"distance", "features"}), frozenset({"matching"})}
    moved = [name for name, p in trainer.generator.named_parameters() if not torch.equal(p, before[name])]
    assert len(moved) > 0.9 * len(before)


def test_a_resumed_run_equals_an_unbroken_one(data: TrainingData, tmp_path: Path) -> None:
    unbroken, broken = make_trainer(data), make_trainer(data)
    run(unbroken, 5)
    run(broken, 3)
    path = save_checkpoint(tmp_path, *broken.state())
    resumed = make_trainer(data)
    resumed.restore(*load_checkpoint(path))
    run(resumed, 2)
    (a, numbers), (b, others) = unbroken.state(), resumed.state()
    assert numbers == others and [name for name in a if not torch.equal(a[name], b[name])] == []


def test_measures_know_the_conditions_of_the_data(data: TrainingData) -> None:
    """The spec's conditions are those of painted materials."""
    domain = make_trainer(data).domain
    assert Monitor(SPEC, domain, data, 0).spec.conditions == data.conditions_of
