"""Training through pretrained features: it learns, it is repeatable, it resumes, and alpha is crisp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganassets.training.checkpoint import load_checkpoint, load_fit, save_checkpoint, save_fit
from ganassets.training.fine_tune import StartModel
from ganassets.training.initialization import fit_preset
from ganassets.training.trainer import Trainer
from support.code_runs import CODE_PRESET, make_code_trainer, make_pictures

PICTURES = make_pictures(8)


def run(trainer: Trainer, steps: int) -> Trainer:
    for _ in range(steps):
        trainer.step()
    return trainer


def assert_same(a: Trainer, b: Trainer) -> None:
    (first, numbers), (second, other) = a.state(), b.state()
    assert numbers == other and first.keys() == second.keys()
    assert [key for key in first if not torch.equal(first[key], second[key])] == []


def test_pictures_are_reproduced() -> None:
    trainer = make_code_trainer(PICTURES, kimg=0.8, regression=0.9)
    first = np.mean([trainer.step()["distance"] for _ in range(5)])
    run(trainer, 130)
    last = np.mean([trainer.step()["distance"] for _ in range(5)])
    assert last < 0.5 * first
    latents = trainer.sampler.data.latents
    assert latents is not None
    outputs = trainer.generator(
        torch.from_numpy(latents), torch.zeros(8, 0), torch.ones(1), torch.zeros(1, trainer.generator.layers, 16)
    )
    alpha = outputs["picture"][:, 3].detach().numpy()
    real = PICTURES.signals["colour"][:, 3] / 255
    assert np.abs((alpha > 0.5) - real).mean() < 0.05, "silhouettes are those of the pictures"
    assert ((alpha > 0.1) & (alpha < 0.9)).mean() < 0.25, "few pixels are half transparent"


def test_both_parts_of_a_run_learn_what_they_should() -> None:
    trainer = make_code_trainer(PICTURES)
    before = trainer.state()[0]
    metrics = trainer.step()
    assert metrics.keys() == {"distance", "features"}
    assert not moved(trainer, before, "discriminator")
    assert {"generator.shape_codes", "generator.style_codes"} <= set(moved(trainer, before, "generator"))
    trainer.images = 300
    metrics = trainer.step()
    assert metrics.keys() == {
        "distance", "features", "matching", "g_loss", "d_loss", "d_gap", "augmentation",
    }  # fmt: skip
    assert moved(trainer, before, "discriminator")


def moved(trainer: Trainer, before: dict[str, torch.Tensor], network: str) -> list[str]:
    """Return the names of a network's changed parameters."""
    now = trainer.state()[0]
    return [key for key in now if key.startswith(f"{network}.") and not torch.equal(now[key], before[key])]


def test_resuming_equals_an_unbroken_run(tmp_path: Path) -> None:
    first = make_code_trainer(PICTURES)
    first.images = 300
    run(first, 2)
    path = save_checkpoint(tmp_path, *first.state())
    second = make_code_trainer(PICTURES, seed=99)
    second.restore(*load_checkpoint(path))
    assert_same(first, second)
    assert_same(run(first, 2), run(second, 2))


def test_same_seed_same_weights() -> None:
    assert_same(*(run(make_code_trainer(PICTURES, seed=3, regression=0.0), 2) for _ in range(2)))


def test_opaque_pictures_and_labels() -> None:
    for data in (make_pictures(8, channels=3), make_pictures(8, labels=True)):
        trainer = make_code_trainer(data, regression=0.0)
        assert np.isfinite(list(run(trainer, 1).step().values())).all()


def test_pictures_without_a_code_are_matched() -> None:
    trainer = make_code_trainer(PICTURES, regression=0.0, codes=3)
    assert np.isfinite(list(trainer.step().values())).all()


def test_a_run_from_a_model_learns_codes_of_its_own_pictures() -> None:
    model = run(make_code_trainer(PICTURES), 2)
    arrays = {name: value.detach().numpy().copy() for name, value in model.generator.named_parameters()}
    trainer = make_code_trainer(make_pictures(6))
    own = trainer.generator.get_parameter("shape_codes").detach().clone()
    StartModel(Path("model.onnx"), arrays).load_into(trainer)
    for network in (trainer.generator, trainer.average):
        assert torch.equal(network.get_parameter("shape_codes"), own)
        loaded = dict(network.named_parameters())
        assert all(
            np.array_equal(loaded[name].detach(), array) for name, array in arrays.items() if "codes" not in name
        )
    assert np.isfinite(list(trainer.step().values())).all()


def test_keys_and_start_codes_are_kept_with_the_run(tmp_path: Path) -> None:
    fit = fit_preset(CODE_PRESET, PICTURES, np.random.default_rng(0))
    save_fit(tmp_path / "linear.safetensors", fit, np.zeros((1, 0), np.float32), {})
    loaded, _, _ = load_fit(tmp_path / "linear.safetensors")
    for name in ("keys", "key_conditions", "start_codes"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fit, name))
    assert fit.keys.shape == (8, 32) and fit.start_codes.shape == (8, 8)
