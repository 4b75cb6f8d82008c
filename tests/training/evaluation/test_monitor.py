"""Measures of a run while it trains, on toy generators whose answers are known."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganassets.api.data import TrainingData
from ganassets.api.errors import GanassetsError
from ganassets.api.outputs import Output
from ganassets.api.spec import GeneratorSpec
from ganassets.training.evaluation import monitor as module
from ganassets.training.evaluation.monitor import Monitor, draw_nearest_pairs
from support.domains import NETWORK_SIZE, STRIDE, make_data, make_domain, make_preset, make_spec
from support.pattern_images import clouds, tint, walls

KEYS = {
    "compared_by", "distance", "precision", "recall", "density", "coverage", "spread", "nearest", "nearest_real",
    "copies", "neighbours", "floor",
}  # fmt: skip
needs_features = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite_pytorch") is None, reason="ganassets[evaluate] is not installed"
)


class SignalDomain:
    """A domain whose outputs are its signals."""

    size: int | None = 1
    network_size = 1
    wraps = (False,)
    condition_mean = torch.zeros(1)

    @staticmethod
    def finish(raw: dict[str, torch.Tensor], condition: torch.Tensor) -> dict[str, torch.Tensor]:
        return raw

    @staticmethod
    def mask(raw: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"b": raw["mask"][:, 0, None, None]}


def signal_domain() -> Any:
    """Build a stand-in for a Domain."""
    return SignalDomain()


def points(n: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """Draw (n, 6, 1) normals."""
    return scale * np.random.default_rng(seed).normal(size=(n, 6, 1)).astype(np.float32)


def data_of(signal: np.ndarray, **more: Any) -> TrainingData:
    """Training data of one signal."""
    return TrainingData({"a": signal}, {}, np.zeros((len(signal), 1), np.float32), "points", "CC0-1.0", "drawn", **more)


def spec_of(*names: str) -> GeneratorSpec:
    """A generator of outputs that are no pictures."""
    spec = make_spec("loop", make_preset(), lambda *arguments: make_data("loop"))
    return replace(spec, outputs=tuple(Output(name, ("channel", "frame"), "m") for name in names), wraps=(False,))


def monitor_of(signal: np.ndarray, **options: Any) -> Monitor:
    return Monitor(spec_of("a"), signal_domain(), data_of(signal), 0, **options)


def measured(monitor: Monitor, made: np.ndarray) -> module.GeneratorScores:
    return monitor.measure({"a": made}, np.zeros((len(made), 1), np.float32))


def test_as_good_as_real_samples():
    found = measured(monitor_of(points(600, 0)), points(256, 1))
    assert found.floor is not None and found.floor.distance is not None and found.distance is not None
    assert found.distance < 0.1 and found.distance == pytest.approx(found.floor.distance, abs=0.05)
    for name in ("precision", "recall", "density", "coverage", "spread", "nearest"):
        assert getattr(found, name) == pytest.approx(getattr(found.floor, name), rel=0.2), name
    assert found.nearest_real == pytest.approx(found.nearest, rel=0.2)
    assert found.copies is not None and found.copies < 0.1 and found.compared_by.endswith("principal axes of a")


def test_a_memorised_set_is_all_copies():
    data = points(300, 0)
    found = measured(monitor_of(data), data[100:200])
    assert found.copies == 1 and found.nearest == pytest.approx(0, abs=1e-6)
    assert [index for index, _ in found.neighbours] == list(range(100, 164))
    assert max(distance for _, distance in found.neighbours) < 1e-6
    near = measured(monitor_of(data), data[100:200] + 0.01)
    assert near.copies == 1, "near-duplicates count as copies"


def test_copies_are_found_in_data_with_duplicates():
    data = np.concatenate([points(200, 0)] * 2)
    monitor = monitor_of(data)
    found, fresh = measured(monitor, data[:64]), measured(monitor, points(64, 5))
    assert found.copies == 1 and fresh.copies is not None and fresh.copies < 0.1
    assert found.nearest_real is not None and found.nearest_real > 0.1


def test_a_collapsed_generator():
    data = points(600, 0)
    found = measured(monitor_of(data), np.repeat(points(1, 1), 256, 0) + points(256, 2, 1e-3))
    assert found.spread is not None and found.spread < 0.01
    assert found.recall is not None and found.recall < 0.05 and found.coverage is not None and found.coverage < 0.1
    assert found.distance is not None and found.distance > 0.9, "all variance is missing"


def test_a_generator_far_away():
    found = measured(monitor_of(points(600, 0)), points(256, 1) + 50)
    assert (found.precision, found.recall, found.density, found.coverage, found.copies) == (0, 0, 0, 0, 0)


def test_it_is_deterministic_and_touches_no_random_state():
    made = points(128, 1)
    state: Any = np.random.get_state()  # noqa: NPY002
    numpy_state, torch_state = state[1].copy(), torch.random.get_rng_state()
    monitor = monitor_of(points(300, 0))
    found = measured(monitor, made)
    assert measured(monitor, made) == found == measured(monitor_of(points(300, 0)), made)
    state = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(state[1], numpy_state)
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert monitor.real_features.coordinates.joint.shape[0] == 300
    bound = monitor_of(points(300, 0), max_searched=40, max_reference=10)
    assert len(bound.real_features.coordinates) == 40 and bound.reference_count == 10
    assert {index for index, _ in measured(bound, made).neighbours} <= set(bound.index.tolist())


@pytest.mark.parametrize("count", [1, 2, 3, 8, 31, 32, 64])
def test_few_real_samples(count):
    """Check that unknown measures are left out, and that records are finite and name the axes and samples."""
    record = measured(monitor_of(points(count, 0)), points(64, 1)).record()
    json.dumps(record, allow_nan=False)
    assert record.keys() <= KEYS and record["nearest"] > 0 and len(record["neighbours"]) == 64
    assert ("floor" in record) == (count >= 32) and ("distance" in record) == (count > 1)
    real = count if count < 32 else count // 2
    assert (f"{real} real samples" in record["compared_by"]) == (real < 24), "its six axes need 24 samples"
    memorised = measured(monitor_of(points(count, 0)), np.resize(points(count, 0), (64, 6, 1))).record()
    assert memorised.get("copies", 1) == 1 and memorised["nearest"] < 1e-5


def test_the_record_is_complete():
    found = measured(monitor_of(points(600, 0)), points(64, 1))
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert record.keys() == KEYS
    assert record["floor"].keys() == KEYS - {"compared_by", "nearest_real", "neighbours", "floor"}
    assert all(isinstance(index, int) and distance > 0 for index, distance in record["neighbours"])


def test_the_nearest_are_given_back():
    data = points(100, 0)
    monitor = monitor_of(data)
    outputs, conditions = monitor.neighbour_outputs(measured(monitor, data[10:80]))
    np.testing.assert_array_equal(outputs["a"], data[10:74])
    assert conditions.shape == (64, 1)


def test_outputs_that_some_samples_lack_are_left_out():
    masks = np.ones((100, 1), np.float32)
    data = data_of(points(100, 0), masks=masks)
    data = replace(data, signals={**data.signals, "b": points(100, 1)})
    assert list(Monitor(spec_of("a", "b"), signal_domain(), data, 0).make_extractor().names) == ["a", "b"]
    masks[3] = 0
    assert list(Monitor(spec_of("a", "b"), signal_domain(), data, 0).make_extractor().names) == ["a"]


def test_larger_samples_of_a_size_free_generator_are_cut():
    class Free(SignalDomain):
        size = None
        network_size = 4

    data = np.random.default_rng(0).normal(size=(100, 6, 4)).astype(np.float32)
    domain: Any = Free()
    monitor = Monitor(spec_of("a"), domain, data_of(data), 0)
    around = np.pad(data[:64], [(0, 0), (0, 0), (3, 3)], constant_values=9)
    found = measured(monitor, around)
    assert found.copies == 1 and [index for index, _ in found.neighbours] == list(range(64))


def test_a_plugin_has_features_of_its_own():
    spec = replace(spec_of("a"), features=lambda arrays, conditions: arrays["a"][:, :2, 0] * [1, 0.0])
    data = points(200, 0)
    made = data[:64].copy()
    made[:, 1:] = 7
    found = Monitor(spec, signal_domain(), data_of(data), 0).measure({"a": made}, np.zeros((64, 1), np.float32))
    assert found.copies == 1 and "features of loop" in found.compared_by


def test_pictures_without_the_network_are_thumbnails(monkeypatch):
    def missing() -> None:
        raise GanassetsError("not installed")

    monkeypatch.setattr(module, "ImageFeatures", missing)
    spec = make_spec("picture", make_preset(), lambda *arguments: make_data("picture"))
    monitor = Monitor(spec, make_domain("picture"), make_data("picture", 100), 0)
    other = make_data("picture", 80, seed=1)
    found = monitor.measure({"albedo": other.signals["albedo"]}, other.conditions)
    assert found.record().keys() == KEYS | {"pyramid"}, "the content has its place"
    assert "principal axes of albedo" in found.compared_by and "FD-EffNetLite0" not in found.compared_by
    assert found.distance is not None and found.distance < 0.5


@needs_features
def test_pictures_by_the_network():
    spec = make_spec("tile", make_preset(), lambda *arguments: make_data("tile"))
    data = make_data("tile", 64)
    shown = replace(data, signals={name: (a * 0.3 + 0.5).clip(0, 1) for name, a in data.signals.items()})
    monitor = Monitor(spec, make_domain("tile"), shown, 0)
    state = torch.random.get_rng_state()
    outputs = {
        name: np.pad(a, [(0, 0), (0, 0), *[(STRIDE, STRIDE)] * 2], mode="wrap") for name, a in shown.signals.items()
    }
    found = monitor.measure(outputs, data.conditions)
    assert torch.equal(torch.random.get_rng_state(), state), "the network's weights are drawn before they are read"
    assert found.copies == 1 and found.compared_by.startswith("FD-EffNetLite0 of albedo, 8 axes")
    assert found.pyramid is not None and found.floor is not None and found.floor.pyramid is not None
    neighbours, conditions = monitor.neighbour_outputs(found)
    assert neighbours["albedo"].shape == (64, 3, NETWORK_SIZE, NETWORK_SIZE)
    content = draw_nearest_pairs(spec, outputs, data.conditions, neighbours, conditions)
    assert content is not None
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(pixels[:128, :128], pixels[:128, 128:256])
    assert np.abs(pixels[:128, :128].astype(int) - pixels[:128, 256:384]).max() > 10


def test_pairs_stand_side_by_side():
    seen: dict[str, Any] = {}

    def snapshot(arrays: Any, conditions: Any) -> Image.Image:
        seen.update(arrays=arrays, conditions=conditions)
        return Image.new("RGB", (4, 4))

    spec: Any = SimpleNamespace(snapshot=snapshot)
    made, near = np.arange(3.0)[:, None, None], 10 + np.arange(2.0)[:, None, None]
    assert draw_nearest_pairs(spec, {"a": made}, np.zeros((3, 1)), {"a": near}, np.ones((2, 1)))  # pyright: ignore
    assert seen["arrays"]["a"].ravel().tolist() == [0, 10, 1, 11]
    assert seen["conditions"].ravel().tolist() == [0, 1, 0, 1]


def test_materials_have_a_structure():
    """Walls in the place of walls have it; noise in their colours does not."""
    data = make_data("tile", 64)
    light, dark = (0.9, 0.9, 0.8), (0.4, 0.1, 0.1)

    def outputs(planes: np.ndarray) -> dict[str, np.ndarray]:
        return {"albedo": tint(planes, dark, light), "height": planes[:, None]}

    class Large(SignalDomain):
        size = None
        network_size = 64
        wraps = (True, True)
        mask = staticmethod(lambda raw: {})

    spec = make_spec("tile", make_preset(), lambda *arguments: data)
    domain: Any = Large()
    samples = replace(data, signals=outputs(walls(64, 64)))
    monitor = Monitor(replace(spec, conditions=()), domain, samples, 0)
    wall, noise = (monitor.measure(outputs(p), data.conditions) for p in (walls(64, 64, seed=3), clouds(64, 64)))
    assert wall.structure is not None and noise.structure is not None and wall.floor is not None
    assert wall.structure > 0.8 > 0.2 > noise.structure and wall.floor.structure == pytest.approx(1, abs=0.2)
    assert wall.peaks is not None and noise.peaks is not None and wall.peaks > 0.8 > 0.3 > noise.peaks
    assert wall.pyramid is not None and noise.pyramid is not None and noise.pyramid > 2 * wall.pyramid
    assert noise.precision is not None and noise.precision < 0.1


def test_training_samples_under_the_same_conditions():
    data = replace(data_of(points(50, 0)), conditions=np.arange(50, dtype=np.float32)[:, None])
    monitor = Monitor(spec_of("a"), signal_domain(), data, 0)
    outputs, conditions = monitor.similar_outputs(np.array([[7.2], [7.2], [30]], np.float32))
    assert conditions.ravel().tolist() == [7, 8, 30], "no sample twice"
    np.testing.assert_array_equal(outputs["a"], data.signals["a"][[7, 8, 30]])
    assert len(monitor.similar_outputs(np.zeros((120, 1), np.float32))[1]) == 120, "unless there are too few"
