"""Checks before the first step: they find causes of later failures and name the plugin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganassets.api.conditions import Condition
from ganassets.api.data import TrainingData
from ganassets.api.errors import GanassetsError, InputError, PluginError
from ganassets.api.plugin_calls import make_dataset
from ganassets.api.spec import GeneratorSpec
from ganassets.training.checks import check_export, check_networks, check_spec
from ganassets.training.evaluation import measures
from ganassets.training.networks import PlainDiscriminator, PlainGenerator
from ganassets.training.onnx_export import example_inputs, measure_differences, measure_parity, open_session, to_onnx
from ganassets.training.plugin_domain import make_domain
from ganassets.training.trainer import Trainer
from support.domains import ToyDomain, make_data, make_fit, make_networks
from support.toy_runs import quiet, start, toy_preset, toy_spec

NAN, INF = np.float32("nan"), np.float32("inf")
SPECS = {kind: toy_spec(kind, toy_preset(kind, kimg=0.016)) for kind in ("picture", "tile", "loop")}


def spoilt(array: np.ndarray, sample: int, value: np.float32) -> np.ndarray:
    """A copy with one number of a sample replaced."""
    array = array.copy()
    array[sample].reshape(-1)[0] = value
    return array


def changed_signal(data: TrainingData, name: str, change: Callable[[np.ndarray], Any]) -> TrainingData:
    return replace(data, signals={**data.signals, name: change(data.signals[name])})


DATA: dict[str, tuple[Callable[[TrainingData], Any], str]] = {
    "nothing": (lambda data: None, "it returned None"),
    "dict": (lambda data: {"albedo": 1}, "it returned a dict of 1"),
    "nan": (
        lambda d: changed_signal(d, "albedo", lambda a: spoilt(a, 17, NAN)),
        "signal 'albedo' of sample 17 holds nan",
    ),
    "inf": (
        lambda d: changed_signal(d, "albedo", lambda a: spoilt(a, 63, INF)),
        "signal 'albedo' of sample 63 holds inf",
    ),
    "vector": (
        lambda d: replace(d, vectors={"shape": spoilt(d.vectors["shape"], 3, NAN)}),
        "vector 'shape' of sample 3 holds nan",
    ),
    "condition": (
        lambda d: replace(d, conditions=spoilt(d.conditions, 5, NAN)),
        "conditions of sample 5 holds nan",
    ),
    "wide": (
        lambda d: replace(d, conditions=np.zeros((64, 3), np.float32)),
        "conditions must have shape 64 x 2, not 64 x 3",
    ),
    "double": (
        lambda d: replace(d, conditions=d.conditions.astype(np.float64)),
        "conditions must be an array of float32, not float64",
    ),
    "percent": (
        lambda d: replace(d, conditions=100 * d.conditions),
        "condition 'height' lies outside 0.5..1.5 in most samples",
    ),
    "whole": (
        lambda d: changed_signal(d, "albedo", lambda a: (a * 9).astype(np.int64)),
        "signal 'albedo' must be an array of uint8 or float16 or float32, not int64",
    ),
    "flat": (
        lambda d: changed_signal(d, "albedo", lambda a: a[:, 0]),
        "must have shape 64 x any x any x any, not 64 x 32",
    ),
    "list": (lambda d: changed_signal(d, "albedo", lambda a: a.tolist()), "must be an array of uint8"),
    "latents": (
        lambda d: replace(d, latents=np.zeros((64, 9), np.float32)),
        "latents have 9 columns, more than the preset's z_dim of 8",
    ),
    "infinite latents": (
        lambda d: replace(d, latents=np.full((64, 8), INF)),
        "latents of sample 0 holds inf",
    ),
    "masks": (lambda d: replace(d, masks=np.full((64, 1), NAN)), "masks of sample 0 holds nan"),
    "tiles": (lambda d: replace(d, tiles=np.ones(64, np.uint8)), "tiles must be an array of bool, not uint8"),
    "seeds": (lambda d: replace(d, noise_seeds=np.ones(64)), "noise_seeds must be an array of int64, not float64"),
    "constants": (lambda d: replace(d, constants={"c": np.array([NAN])}), "constant 'c' of sample 0 holds nan"),
    "shares": (
        lambda d: replace(d, conditions_of=(Condition("kind", "Which.", choices=("a", "b")),)),
        "condition 'kind' of sample 0 has shares outside 0..1",
    ),
    "lengths": (
        lambda d: replace(d, conditions=d.conditions[:-1]),
        "as many in each of its arrays",
    ),
    "licence": (lambda d: replace(d, licence=None), "licence must be a text"),
}


@pytest.mark.parametrize("change", DATA)
def test_data_that_can_not_be_trained_on(change):
    make, message = DATA[change]
    spec = toy_spec("picture", SPECS["picture"].presets[0], make)
    with pytest.raises(PluginError) as caught:
        make_dataset(spec, spec.presets[0], {}, 0, lambda done, total: None)
    assert (caught.value.function, caught.value.exit_code) == ("dataset", 1)
    assert str(caught.value).startswith(
        "generator 'picture': dataset must return TrainingData that fit the generator, but"
    )
    assert message in caught.value.found


def test_latents_may_be_free_and_few_samples_may_lie_outside():
    def change(data: TrainingData) -> TrainingData:
        conditions = data.conditions.copy()
        conditions[0] = 5.0
        return replace(data, conditions=conditions, latents=np.full((64, 8), NAN))

    spec = toy_spec("picture", SPECS["picture"].presets[0], change)
    assert len(make_dataset(spec, spec.presets[0], {}, 0, lambda done, total: None)) == 64


def test_a_run_on_unusable_data_leaves_no_folder(tmp_path):
    spec = toy_spec("picture", SPECS["picture"].presets[0], DATA["nan"][0])
    with pytest.raises(PluginError, match="signal 'albedo' of sample 17 holds nan"):
        start(spec, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def with_domain(spec: GeneratorSpec, kind: str, **methods: Any) -> GeneratorSpec:
    """A generator whose domain has some methods or attributes replaced."""

    def domain(preset: Any, fit: Any) -> Any:
        made = type("Odd", (ToyDomain,), {k: v for k, v in methods.items() if callable(v)})(kind, fit)
        for name, value in methods.items():
            if not callable(value):
                setattr(made, name, value)
        return made

    return replace(spec, domain=domain)


def check(spec: GeneratorSpec, kind: str) -> None:
    preset, data = spec.presets[0], make_data(kind)
    check_networks(spec, preset, make_domain(spec, preset, make_fit(kind, data, preset)), data)


def renamed(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    return {"colour": raw["albedo"], "shape": raw["shape"]}


def halved(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    return {**raw, "albedo": raw["albedo"].half()}


def squeezed(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    return {**raw, "albedo": raw["albedo"][:, 0]}


def rooted(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    return {**raw, "albedo": (raw["albedo"] - 9).sqrt()}


DOMAINS: list[tuple[dict[str, Any], str]] = [
    ({"finish": lambda self, raw, condition: None}, "domain.finish must .* it returned NoneType"),
    ({"finish": renamed}, "domain.finish must .* it returned colour, shape in place of albedo, shape"),
    ({"finish": halved}, r"albedo \(2 x channel x height x width\) is a float16 tensor of 2 x 3 x 32 x 32"),
    ({"finish": squeezed}, r"albedo \(.*\) is a float32 tensor of 2 x 32 x 32"),
    ({"finish": rooted}, "domain.finish must .* albedo is not finite for samples of the data"),
    ({"finish": lambda self, raw, condition: raw["none"]}, "domain.finish must .* it raised KeyError: 'none'"),
    ({"view": lambda self, raw: None}, "domain.view must .* it returned NoneType"),
    ({"view": lambda self, raw: raw["albedo"]}, "domain.view must return a finite tensor of 2 x 8 x 16 x 16, but"),
    ({"view": lambda self, raw: raw["albedo"] / 0}, "domain.view must"),
    ({"signals": {"albedo": 4}}, r"signals have channels {'albedo': 3}, its domain says {'albedo': 4}"),
    ({"signals": {"colour": 3}}, "domain must fit the samples of its dataset"),
    ({"vectors": {}}, r"vectors have widths {'shape': 5}, its domain says {}"),
    ({"size": 64}, "signal 'albedo' is 32 x 32, its domain says 64 an axis"),
    ({"wraps": (True, False)}, "its domain wraps"),
]


@pytest.mark.parametrize(("methods", "message"), DOMAINS, ids=range(len(DOMAINS)))
def test_a_domain_that_does_not_fit(methods, message):
    with pytest.raises(PluginError, match=f"^generator 'picture': .*{message}"):
        check(with_domain(SPECS["picture"], "picture", **methods), "picture")


@pytest.mark.parametrize("kind", SPECS)
def test_sound_domains_pass_and_stay_as_they_are(kind):
    state = torch.random.get_rng_state()
    check(SPECS[kind], kind)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("value", [None, nn.Linear(1, 1), "domain"])
def test_a_domain_of_another_class(value):
    spec = replace(SPECS["picture"], domain=lambda preset, fit: value)
    with pytest.raises(PluginError, match=r"domain must return a ganassets.training.networks.Domain, but it returned"):
        check(spec, "picture")


def test_noise_maps_of_another_shape():
    spec = replace(SPECS["tile"], noise=lambda seed, row, size: np.zeros((2, *size), np.float32))
    with pytest.raises(PluginError, match="noise must return a finite float32 array of 3 x 16 x 16, but"):
        check(spec, "tile")


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (lambda *_: None, "networks must .* it raised TypeError: cannot unpack"),
        (lambda *_: 1 / 0, "networks must .* it raised ZeroDivisionError"),
        (
            lambda preset, domain, settings: (
                PlainGenerator(domain, settings, nn.Linear(8, 5)),
                PlainDiscriminator(nn.Flatten()),
            ),
            "networks must return a generator and a discriminator that fit the domain",
        ),
    ],
)
def test_networks_that_do_not_fit(networks, message):
    with pytest.raises(PluginError, match=message):
        check(replace(SPECS["loop"], networks=networks), "loop")


def export(spec: GeneratorSpec, kind: str) -> None:
    preset, data = spec.presets[0], make_data(kind)
    check_export(spec, preset, make_domain(spec, preset, make_fit(kind, data, preset)), data.conditions)


def sorted_out(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    """Depends on values, which a graph can't."""
    return raw if float(raw["pose"].sum()) > 0 else {name: -value for name, value in raw.items()}


def transformed(self: Any, raw: dict[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    """An operation that ONNX lacks."""
    return {"pose": torch.linalg.svd(raw["pose"], full_matrices=False)[0][..., :32].expand(-1, 4, -1)}


@pytest.mark.parametrize("finish", [sorted_out, transformed])
def test_a_graph_that_can_not_be_exported(finish):
    with pytest.raises(
        PluginError, match=r"^generator 'loop': domain must make a graph that ONNX can hold, but exporting"
    ):
        export(with_domain(SPECS["loop"], "loop", finish=finish), "loop")


@pytest.mark.parametrize("kind", SPECS)
def test_sound_graphs_pass(kind):
    export(SPECS[kind], kind)


def test_a_spec_that_breaks_a_rule_trains_nothing(tmp_path):
    spec = replace(SPECS["loop"], summary="")
    with pytest.raises(
        GanassetsError, match="generator 'loop' breaks its contract: summary must be one line"
    ) as caught:
        start(spec, tmp_path / "run")
    assert caught.value.exit_code == 1 and not (tmp_path / "run").exists()
    check_spec(SPECS["loop"])


def spoil(generator: nn.Module, value: float) -> None:
    """Let a graph make numbers that are not finite."""
    parameter = dict(generator.named_parameters())["to_signals.conv.bias"]
    parameter.data[0] = value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_graph_of_nan_has_no_parity(value):
    generator, _ = make_networks("loop")
    spoil(generator, value)
    content, rows = to_onnx(generator).SerializeToString(), make_data("loop").conditions
    with pytest.raises(GanassetsError, match="the generator makes pose with numbers that are not finite in torch"):
        measure_parity(generator, content, rows)
    sound, _ = make_networks("loop")
    with pytest.raises(GanassetsError, match="pose with numbers that are not finite in onnxruntime"):
        measure_differences(sound, open_session(content), example_inputs(sound, rows, 2))


@pytest.mark.parametrize(
    "measure",
    [
        lambda a: measures.frechet_distance(a, np.ones((8, 2))),
        lambda a: measures.neighbourhoods(np.random.default_rng(0).random((8, 2)), a),
        measures.pairwise_distance,
        lambda a: measures.nearest(np.ones((8, 2)), a),
        measures.nearest_others,
        lambda a: measures.principal_axes(a, 1),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nothing_that_is_not_finite_is_measured(measure, value):
    features = np.random.default_rng(1).random((8, 2))
    measure(features)
    features[3, 1] = value
    with pytest.raises(GanassetsError, match="can't be measured"):
        measure(features)


def test_samples_that_stop_being_finite_are_reported_and_the_run_continues(tmp_path, monkeypatch):
    original = Trainer.snapshot

    def snapshot(self, z, condition, batch=16):
        outputs = original(self, z, condition, batch)
        return {name: array + NAN if self.images else array for name, array in outputs.items()}

    monkeypatch.setattr(Trainer, "snapshot", snapshot)
    run = start(SPECS["loop"], tmp_path / "run")
    text = (run / "events.jsonl").read_text(encoding="utf-8")
    assert "Samples have pose with numbers that are not finite; nothing is measured." in text
    assert len((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_a_plugin_that_fails_in_the_middle_does_not_end_a_run(tmp_path, monkeypatch):
    steps, step = [], Trainer.step
    monkeypatch.setattr(Trainer, "step", lambda trainer: steps.append(1) or step(trainer))

    def features(arrays: Any, conditions: Any) -> np.ndarray:
        values = arrays["pose"].reshape(len(conditions), -1)
        return values[:1] if steps else values

    run = start(replace(SPECS["loop"], features=features), tmp_path / "run")
    assert "features must return a finite array" in (run / "events.jsonl").read_text(encoding="utf-8")
    with pytest.raises(PluginError, match="features must return a finite array"):
        start(replace(SPECS["loop"], features=lambda *_: None), tmp_path / "other", quiet())


def test_errors_for_the_user_pass(tmp_path):
    def change(data: TrainingData) -> TrainingData:
        raise InputError("there is no folder art.")

    with pytest.raises(InputError, match=r"^there is no folder art\.$"):
        start(toy_spec("loop", SPECS["loop"].presets[0], change), tmp_path / "run")
