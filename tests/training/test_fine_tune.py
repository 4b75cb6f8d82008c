"""Starting a run from a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets.training import run as running
from ganassets.training import run_recorder
from ganassets.training.checkpoint import load_checkpoint, load_fit, newest_checkpoint
from ganassets.training.fine_tune import StartModel, read_start_model
from ganassets.training.initialization import fit_preset
from ganassets.training.networks import LinearModel
from ganassets.training.onnx_export import export_run
from ganassets.training.run_folder import list_checkpoints
from ganassets.training.trainer import Trainer
from support.domains import CPU, ToyDomain, make_data
from support.toy_runs import CONDITIONS, quiet, start, toy_preset, toy_spec

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow

PRESET = toy_preset("picture", kimg=0.064, clusters=4, z_dim=24)


def pictures(n: int = 64, seed: int = 0) -> TrainingData:
    """Waves with noise on them, which take all the components."""
    data = make_data("picture", n, seed)
    albedo = data.signals["albedo"]
    noise = 0.1 * np.random.default_rng(seed).normal(size=albedo.shape).astype(np.float32)
    return replace(data, signals={"albedo": albedo + noise})


SPEC = toy_spec("picture", PRESET, lambda data: pictures(len(data)))


def no_conditions(data: TrainingData) -> TrainingData:
    return replace(data, conditions=data.conditions[:, :0])


BARE = replace(toy_spec("band", toy_preset("band", kimg=0.064), no_conditions), conditions=())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Run folder and model file of either generator, made when first asked for."""
    made: dict[str, tuple[Path, Path]] = {}

    def of(name: str) -> tuple[Path, Path]:
        spec = {"picture": SPEC, "band": BARE}[name]
        if name not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(running, "choose_hardware", lambda device, threads, devices, precision: CPU)
                patch.setattr(
                    run_recorder.RunRecorder, "record_snapshot", lambda self, trainer, must_measure=False: None
                )
                run = start(spec, tmp_path_factory.mktemp(name) / "run")
                made[name] = run, export_run(spec, run, None, quiet())
        return made[name]

    return of


def test_a_run_starts_as_the_model(exported, tmp_path):
    """Start from a model with other data and another seed."""
    run, model = exported("picture")
    trained, _ = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    spec = toy_spec("picture", replace(PRESET, kimg=0.008), lambda data: pictures(40, seed=5))
    tuned = start(spec, tmp_path / "run", seed=7, start=model)
    first, numbers = load_checkpoint(list_checkpoints(tuned / "checkpoints")[0])
    assert numbers["images"] == 0
    names = [key.removeprefix("average.") for key in trained if key.startswith("average.")]
    assert len(names) > 20
    for name in names:
        for network in ("generator", "average"):
            assert torch.equal(first[f"{network}.{name}"], trained[f"average.{name}"]), name
    assert not torch.equal(first["discriminator.score.linear.weight"], trained["discriminator.score.linear.weight"])
    (found, _, _), (fit, _, _) = load_fit(tuned / "linear.safetensors"), load_fit(run / "linear.safetensors")
    fresh = fit_preset(PRESET, pictures(40, seed=5), np.random.default_rng([7, 3]))
    assert len(fit.centres) == len(found.centres) == 4
    for name, basis in fresh.bases.items():
        np.testing.assert_array_equal(found.bases[name], basis, err_msg="the linear model is of the new data")
        assert not np.array_equal(fit.bases[name], basis)


def test_too_few_samples_keep_the_models_own_linear_model(exported):
    run, model = exported("picture")
    begun, (fit, _, _) = read_start_model(model, SPEC), load_fit(run / "linear.safetensors")
    found = begun.fit(PRESET, pictures(4, seed=5), np.random.default_rng(0))
    expected = LinearModel(fit).state_dict()
    for name, value in LinearModel(found).state_dict().items():
        # A scale is a 127th of the largest number, and may be rounded once more.
        torch.testing.assert_close(value, expected[name], rtol=1e-7 if name.startswith("scale") else 0, atol=0)
    np.testing.assert_array_equal(found.condition_mean, fit.condition_mean)
    np.testing.assert_array_equal(found.condition_std, fit.condition_std)


def test_a_model_without_conditions_or_a_linear_model(exported):
    run, model = exported("band")
    trained, _ = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    data, preset = no_conditions(make_data("band")), BARE.presets[0]
    begun = read_start_model(model, BARE)
    trainer = Trainer(preset, ToyDomain("band", begun.own_fit(data)), data, "rpgan", CPU, 3)
    begun.load_into(trainer)
    for name, parameter in trainer.generator.named_parameters():
        assert torch.equal(parameter, trained[f"average.{name}"])


def test_refuses_a_model_of_another_generator(exported, tmp_path):
    _, model = exported("picture")
    with pytest.raises(InputError, match="is a model of picture, not of tile"):
        start(toy_spec("tile", toy_preset("tile")), tmp_path / "run", start=model)
    assert not (tmp_path / "run").exists()


def test_refuses_networks_of_other_sizes(exported, tmp_path):
    _, model = exported("picture")
    with pytest.raises(InputError, match=r"model\.onnx does not fit this network"):
        start(toy_spec("picture", replace(PRESET, width=4)), tmp_path / "run", start=model)


def test_refuses_data_with_other_conditions(exported):
    begun = read_start_model(exported("picture")[1], SPEC)
    with pytest.raises(InputError, match="trained with other sliders or labels"):
        begun.own_fit(no_conditions(pictures()))
    data = replace(pictures(), constants={"condition_mean": np.zeros(3, np.float32)})
    with pytest.raises(InputError, match="trained on data of another kind"):
        begun.own_fit(data)


@pytest.mark.parametrize("name", ["basis_albedo", "directions", "offset"])
def test_refuses_a_model_that_lacks_a_part(exported, name):
    """An export may fold a number into others."""
    begun = read_start_model(exported("picture")[1], SPEC)
    arrays = {key: array for key, array in begun.arrays.items() if key != f"domain.linear.{name}"}
    assert len(arrays) < len(begun.arrays)
    if name == "offset":  # as of a generator without one: its networks don't fit
        fit = StartModel(begun.path, arrays).own_fit(pictures())
        assert not fit.means
        return
    with pytest.raises(InputError, match=rf"lacks a part of its linear model \({name}\)"):
        StartModel(begun.path, arrays).own_fit(pictures())


def test_matching_parameters_are_found(tmp_path):
    """Those of an untrained generator are zero in many places, and the exporter keeps one of them."""
    import onnx

    from ganassets.api.manifest import SHARED_KEY

    run = start(toy_spec("picture", replace(PRESET, kimg=0.008)), tmp_path / "run")
    model = export_run(SPEC, run, None, quiet())
    proto = onnx.load(model)
    kept = {one.name for one in proto.graph.initializer}
    trained, _ = load_checkpoint(newest_checkpoint(run / "checkpoints"))
    names = [key.removeprefix("average.") for key in trained if key.startswith("average.")]
    assert set(names) - kept, "some were left out"
    begun = read_start_model(model, SPEC)
    for name in names:
        found = 0 if name in begun.zeros else begun.arrays[name]
        np.testing.assert_array_equal(trained[f"average.{name}"].numpy(), found, err_msg=name)
    next(one for one in proto.metadata_props if one.key == SHARED_KEY).value = "[1]"
    onnx.save(proto, tmp_path / "broken.onnx")
    with pytest.raises(InputError, match="carries broken metadata"):
        read_start_model(tmp_path / "broken.onnx", SPEC)


def test_refuses_files_that_are_no_model(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"model\.onnx"):
        read_start_model(tmp_path / "model.onnx", SPEC)
    assert len(CONDITIONS) == SPEC.condition_width
