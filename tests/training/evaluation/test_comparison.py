"""SetMeasures against known answers, and a comparison from end to end."""

from __future__ import annotations

import importlib.util
import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from ganassets.api.data import TrainingData
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.latents import normal_noise_map
from ganassets.api.manifest import NoiseInfo
from ganassets.training import onnx_export, run_recorder
from ganassets.training import run as running
from ganassets.training.evaluation import comparison
from ganassets.training.evaluation.comparison import CropContext, find_crop_context, run_model
from ganassets.training.evaluation.comparison_data import choose_outputs, print_data
from ganassets.training.evaluation.comparison_table import print_table
from ganassets.training.evaluation.feature_space import is_compared_as_image
from ganassets.training.evaluation.features import ImageFeatures, robust_range, scale_to_images
from ganassets.training.evaluation.samples import crop_margin, match_size, select_samples
from ganassets.training.evaluation.set_measures import (
    SetMeasures,
    beats_linear,
    fit_regression,
    kernel_distance,
    measure_sets,
)
from ganassets_faces import SPEC
from ganassets_poses import SPEC as POSES
from ganassets_textures import SPEC as TEXTURES
from support.domains import make_spec
from support.pattern_images import clouds, tint, walls

needs_features = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite_pytorch") is None, reason="ganassets[evaluate] is not installed"
)


def test_regression_reads_conditions_off_features():
    rng = np.random.default_rng(0)
    conditions = rng.uniform(0, 1, (400, 2))
    features = conditions @ rng.normal(size=(2, 6)) + 0.01 * rng.normal(size=(400, 6)) + 3
    read = fit_regression(features[:200], conditions[:200])
    np.testing.assert_allclose(read(features[200:]), conditions[200:], atol=0.1)


def rows(model: float, linear: float | None) -> list[SetMeasures]:
    names = {"real": 1.0, "faces": model} | ({} if linear is None else {"linear": linear})
    return [
        SetMeasures(name, {"albedo": value}, {}, 0.9, 0.8, 1.0, 0.9, 1.0, {"age": 0.7}) for name, value in names.items()
    ]


@pytest.mark.parametrize(("linear", "message"), [(3.0, "nearer to the data"), (1.5, "FARTHER from the data")])
def test_says_whether_training_earned_its_place(linear, message):
    text = io.StringIO()
    print_table(rows(2.0, linear), Console(file=text, width=120))
    assert f"albedo: the model is {message}" in text.getvalue()
    assert beats_linear(rows(2.0, linear)) == {"albedo": linear > 2}


def test_without_a_linear_model_there_is_nothing_to_beat():
    text = io.StringIO()
    print_table(rows(2.0, None), Console(file=text, width=120))
    assert beats_linear(rows(2.0, None)) is None and "linear" not in text.getvalue()


def test_the_widest_table_fits_a_terminal():
    text = io.StringIO()
    distance = dict.fromkeys((output.name for output in TEXTURES.outputs), 123.456)
    row = SetMeasures("textures", distance, distance, 0.9, 0.8, 1.0, 0.95, 1.0, {"wear": 0.7}, {"seam albedo": 1.25})
    print_table([replace(row, name="real", assets={}), row, row], Console(file=text, width=80))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    for name, words in {
        "FD albedo": ["123", "123", "123"], "KID metallic": ["123", "123", "123"], "coverage": ["0.95"] * 3,
        "sliders": ["0.70"] * 3, "seam albedo": ["-", "1.25", "1.25"],
    }.items():  # fmt: skip
        found = next(line for line in lines if line.strip().startswith(name))
        assert found.removeprefix(f" {name}").split() == words


def test_the_table_of_a_material_fits_a_hundred_columns():
    text = io.StringIO()
    names = [output.name for output in TEXTURES.outputs]
    distance = dict.fromkeys(names, 1234.5)
    scores = {"spectrum": 12.34, "autocorrelation": 0.123, "structure": 0.98, "peaks": None}
    row = SetMeasures(
        "textures", distance, distance, 0.9, 0.8, 1.0, 0.95, 1.0, {"wear": 0.7}, {"seam albedo": 1.25},
        check=distance, pyramid=distance, structure=dict.fromkeys(names, scores),
    )  # fmt: skip
    rows = [replace(row, name=name) for name in ("real", "textures", "quilting", "tiling")]
    print_table(rows, Console(file=text, width=100))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 100 and any(line.split() == ["structure", "height", *["0.98"] * 4] for line in lines)
    assert not any("peaks" in line for line in lines), "none of them has any"
    mixed = [rows[0], replace(rows[1], structure={"albedo": scores | {"peaks": 0.5}})]
    text = io.StringIO()
    print_table(mixed, Console(file=text, width=100))
    assert any(line.split() == ["peaks", "albedo", "none", "0.50"] for line in text.getvalue().splitlines())


@needs_features
def test_noise_in_the_right_colours_is_not_praised():
    """Few samples each of many kinds: views that see different things refuse what a single one lets pass."""
    rng, count = np.random.default_rng(0), 24

    def colours(seed: int) -> list[Any]:
        return np.random.default_rng(seed).random((count, 2, 3)).tolist()

    def patterns(seed: int) -> list[np.ndarray]:
        made = []
        for kind in range(count):
            course, brick = 6 + kind % 5 * 3, 10 + kind % 7 * 4
            plane = walls(2, 64, course, brick, seed + kind)
            made.append(plane if kind % 2 else plane.transpose(0, 2, 1))
        return made

    def paint(planes: list[np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        albedo = [tint(p, *(tuple(c) for c in pair)) for p, pair in zip(planes, colours(3), strict=True)]
        return {"albedo": np.concatenate(albedo)}, np.zeros((2 * count, 0), np.float32)

    spec = replace(TEXTURES, conditions=(), outputs=TEXTURES.outputs[:1])
    noises = [clouds(2, 64, float(rng.uniform(0.5, 2)), seed) for seed in range(count)]
    sets = {"reference": paint(patterns(0)), "real": paint(patterns(100)), "noise": paint(noises)}
    real, noise = measure_sets(spec, ImageFeatures(), sets, ["albedo"])
    assert real.precision > 0.5 and noise.precision < 0.1 and noise.density < 0.2
    assert noise.pyramid["albedo"] > 1.5 * real.pyramid["albedo"] and list(noise.pyramid_levels["albedo"]) == [
        64,
        32,
        16,
    ]
    assert list(noise.structure) == ["albedo"] and real.check == {}, "no other network is given"


def test_other_methods_are_measured_as_samples(monkeypatch):
    """Samples that lack a compared output are left out, and methods without enough samples."""
    spec = make_spec("tile", TEXTURES.presets[0], lambda *arguments: masked_data(None))
    few = masked_data([[0, 1], [1, 1], [0, 1], [0, 1]])
    spec = replace(spec, baselines=lambda *_: {"copy": masked_data([[1, 1], [0, 1], [1, 1], [1, 0]]), "few": few})
    found: Any = SimpleNamespace(spec=spec, domain=Masked, names=["albedo"], others=np.arange(4))
    monkeypatch.setattr(comparison, "make_baselines", lambda spec, preset, options, seed: spec.baselines())
    monkeypatch.setattr(comparison, "compute_real_outputs", lambda domain, data, index: {"index": index})
    sets = comparison.make_baseline_sets(found, TEXTURES.presets[0], {}, 0)
    assert list(sets) == ["copy"] and sets["copy"][0]["index"].tolist() == [0, 2, 3]


def masked_data(masks: list[list[float]] | None) -> TrainingData:
    signals = {"albedo": np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)}
    table = None if masks is None else np.array(masks, np.float32)
    return TrainingData(signals, {}, np.zeros((4, 1), np.float32), "", "", "", masks=table)


class Masked:
    """A domain of samples that may lack their albedo, or something that is no output."""

    @staticmethod
    def mask(raw):
        return {name: raw["mask"][:, i, None, None, None] for i, name in enumerate(("albedo", "structure"))}


def test_samples_that_lack_an_output_are_left_out():
    spec = make_spec("tile", TEXTURES.presets[0], lambda *arguments: masked_data(None))
    data = masked_data([[1, 1], [0, 1], [1, 0], [1, 0]])
    domain: Any = Masked
    nothing: Any = object()
    names, complete = choose_outputs(spec, domain, data)
    assert (names, complete.tolist()) == (["albedo"], [True, False, True, True]), "structure is no output"
    names, complete = choose_outputs(spec, domain, masked_data([[1, 1], [0, 1], [0, 0], [1, 0]]))
    assert (names, complete.all()) == ([], True), "left out, because half of the samples lack it"
    names, complete = choose_outputs(spec, nothing, masked_data(None))
    assert (names, complete.all()) == (["albedo"], True), "without masks nothing is missing"
    some = select_samples(data, np.array([3, 1]))
    assert some.signals["albedo"].ravel().tolist() == [3, 1] and some.masks is not None
    assert some.masks.tolist() == [[1, 0], [0, 1]]


def test_maps_become_pictures():
    maps = np.linspace(-1, 3, 4000, dtype=np.float32).reshape(10, 1, 20, 20)
    maps[-1, 0, -1, -1] = 1e6
    low, high = robust_range(maps)
    assert low == pytest.approx(-1, abs=0.01) and high == pytest.approx(3, abs=0.01), "not the outlier"
    pictures = scale_to_images(maps, -1, 1)
    assert pictures.shape == (10, 3, 20, 20) and pictures.min() == 0 and pictures.max() == 1
    np.testing.assert_array_equal(pictures[:, 0], pictures[:, 2])
    np.testing.assert_allclose(pictures[2, 1], (maps[2, 0] + 1) / 2, atol=1e-6)
    low, high = robust_range(np.full((2, 1, 4, 4), 0.5, np.float32))
    assert low < high and np.isfinite(scale_to_images(np.full((1, 1, 2, 2), 0.5, np.float32), low, high)).all()


def test_outputs_that_are_compared_as_pictures():
    pictures = {spec.name: [output.name for output in spec.outputs if is_compared_as_image(spec, output)]
                for spec in (SPEC, TEXTURES, POSES)}  # fmt: skip
    assert pictures["faces"] == [output.name for output in SPEC.outputs if output.unit == "sRGB"]
    assert pictures["textures"] == [output.name for output in TEXTURES.outputs], "nothing is aligned"
    assert pictures["poses"] == [], "no feature network is needed"
    features = replace(SPEC, features=lambda arrays, conditions: arrays["albedo"])
    assert not any(is_compared_as_image(features, output) for output in SPEC.outputs), "it has features of its own"


def test_a_plugin_says_what_its_samples_are_compared_by():
    """Distances are those of the features alone, as a share of their variance; outputs may be anything."""
    rng = np.random.default_rng(0)

    def samples(mean: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
        return {"albedo": rng.normal(mean, 1, (300, 4)).astype(np.float32)}, np.linspace(0, 1, 300)[:, None]

    def features(arrays, conditions):
        return np.concatenate([arrays["albedo"][:, :2], conditions * 100], 1)

    spec = replace(make_spec("tile", TEXTURES.presets[0], lambda *arguments: masked_data(None)), features=features)
    real, model = measure_sets(spec, None, {"reference": samples(0), "real": samples(0), "model": samples(60)}, [])
    assert list(real.distance) == [spec.asset_kind] == ["mesh"]
    assert real.distance["mesh"] < 0.02 and real.kernel == {}
    assert model.distance["mesh"] == pytest.approx(2 * 60**2 / (2 + 100**2 / 12), rel=0.1)
    assert model.precision == 0 and real.precision > 0.8
    broken = replace(spec, features=lambda arrays, conditions: arrays["no such thing"])
    with pytest.raises(GanassetsError, match="generator 'tile': features must"):
        measure_sets(broken, None, {"reference": samples(0), "real": samples(0)}, [])


def test_margins_are_cut_off_every_axis():
    maps = np.arange(2 * 8 * 8, dtype=np.float32).reshape(1, 2, 8, 8)
    np.testing.assert_array_equal(crop_margin(maps, 2), maps[:, :, 2:6, 2:6])
    np.testing.assert_array_equal(crop_margin(maps[..., 0], 3), maps[:, :, 3:5, 0])
    np.testing.assert_array_equal(crop_margin(maps, 0), maps)


def test_sizes_that_fit_each_other():
    maps = np.arange(2 * 8 * 6, dtype=np.float32).reshape(1, 2, 8, 6)
    np.testing.assert_array_equal(match_size(maps, (4, 6)), maps[:, :, 2:6])
    np.testing.assert_array_equal(match_size(maps, (8, 10))[0, 0, 0], maps[0, 0, 0, [4, 5, 0, 1, 2, 3, 4, 5, 0, 1]])
    np.testing.assert_array_equal(match_size(match_size(maps, (24, 20)), (8, 6)), maps)
    assert match_size(maps[:, :, 0, 0], ()).shape == (1, 2)


def test_kernel_distance_by_hand():
    """The unbiased squared discrepancy of the cubic kernel, of a definition written out."""
    pytest.importorskip("torchmetrics")
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(12, 5)), rng.normal(size=(12, 5)) + 1

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / 5 + 1) ** 3

    within = [(kernel(x, x).sum() - np.trace(kernel(x, x))) / (12 * 11) for x in (a, b)]
    state = torch.random.get_rng_state()
    assert kernel_distance(a, b) == pytest.approx(sum(within) - 2 * kernel(a, b).mean(), rel=1e-9)
    assert torch.equal(state, torch.random.get_rng_state())
    assert kernel_distance(a, b) == kernel_distance(a, b)


def test_reports_the_reference_data():
    text = io.StringIO()
    data = replace(masked_data(None), name="my bricks", source="the user's")
    print_data(data, 300, 300, Console(file=text, width=40), ["1 of 9 files are left out"])
    assert "1 of 9 files are left out\n" in text.getvalue()
    assert "Compared with my bricks (the user's), 300 samples in each set.\n" in text.getvalue()
    print_data(data, 2, 40, Console(file=text, width=40))
    assert "2 samples in each set, because the data have no more with all the maps. Small sample" in text.getvalue()
    with pytest.raises(InputError, match="too few"):
        print_data(data, 1, 40, Console(file=text))


def test_samples_that_were_cut_out_have_surroundings():
    structure = np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    data = replace(masked_data(None), tiles=np.zeros(4, bool), structure=structure)
    free: Any = SimpleNamespace(size=None, margin=8, window_of=0)
    fixed: Any = SimpleNamespace(size=64)
    index = np.array([2, 0])
    around = find_crop_context(free, data, index)
    assert around.margin == 8 and around.structure is not None and around.structure.ravel().tolist() == [2, 0]
    for domain, other in (
        (free, replace(data, tiles=None)),
        (free, replace(data, tiles=np.array([True, False, False, False]))),
        (fixed, data),
    ):
        found = find_crop_context(domain, other, index)
        assert found.margin == 0 and found.structure is None, "samples tile"


class Echo:
    """A size-free model whose output is its noise map."""

    manifest = SimpleNamespace(
        noise=NoiseInfo(channels=3, stride=4, reach=8, size=16),
        outputs=[SimpleNamespace(axes=("channel", "frame"))],
        z_dim=5,
        rows=np.zeros((1, 1), np.float32),
    )

    @staticmethod
    def run(z, condition, truncation, noise):
        assert truncation == 1 and len(z) == len(condition) == len(noise)
        return {"albedo": noise}


def test_the_model_is_asked_for_what_lies_around_a_sample():
    """Margins are made, with the structure of the sample's own surroundings, and cut off; else the seed says it all."""

    def noise_map(seed: int, condition: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        return normal_noise_map(seed, 3, size)

    model: Any = Echo()
    conditions = np.zeros((20, 1), np.float32)  # more than a batch
    structure = np.random.default_rng(0).normal(size=(20, 1, 24)).astype(np.float32)
    alone = run_model(model, noise_map, 7, conditions, CropContext())["albedo"]
    np.testing.assert_array_equal(alone[3], normal_noise_map(10, 3, (16,)))
    made = run_model(model, noise_map, 7, conditions, CropContext(4, structure))["albedo"]
    assert made.shape == (20, 3, 16)
    np.testing.assert_array_equal(made[:, 2:], structure[:, :, 4:20])
    np.testing.assert_array_equal(made[18, :2], normal_noise_map(25, 3, (24,))[:2, 4:20])


@pytest.fixture
def unmeasured_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train and export without snapshots, the check before the first step and most of the check against torch."""
    monkeypatch.setattr(run_recorder.RunRecorder, "record_snapshot", lambda self, trainer, must_measure=False: None)
    monkeypatch.setattr(running, "check_export", lambda *arguments: None)
    monkeypatch.setattr(onnx_export, "PARITY_LATENTS", 17)


@pytest.mark.slow
@needs_features
def test_evaluates_a_model(tmp_path, monkeypatch, unmeasured_runs):
    """A model that has hardly been trained is about its linear model, and both are farther from the data than data."""
    from ganassets.training.evaluation.comparison import evaluate
    from ganassets.training.onnx_export import export_run
    from ganassets.training.run import train

    monkeypatch.setattr("ganassets.training.evaluation.comparison_data.FIT_SAMPLES", 512)
    console = Console(file=io.StringIO(), width=160)
    preset = replace(SPEC.presets[0], samples=400, size=32, network_size=16, components=12, z_dim=76, kimg=0.03)
    run = train(
        SPEC, preset, out=tmp_path / "run", seed=0, objective="rpgan", device="cpu", threads=1, data_options={},
        console=console,
    )  # fmt: skip
    result = evaluate(SPEC, export_run(SPEC, run, None, console), 150, 0, console)
    found = {row["name"]: row for row in result["rows"]}
    assert set(found) == {"real", "faces", "linear"} and result["samples"] == 150
    assert result["few"] and result["data"]["name"] == "painted heads" and result["data"]["options"] == {}
    for row in found.values():
        assert set(row["distance"]) == {output.name for output in SPEC.outputs}
        assert all(0 <= value < np.inf for value in row["distance"].values())
        assert 0 <= row["precision"] <= 1 and 0 <= row["recall"] <= 1 and 0.3 < row["spread"] < 2
        assert 0 <= row["coverage"] <= 1 and row["density"] >= 0 and list(row["kernel"]) == ["albedo"]
    for name in ("faces", "linear"):
        assert found["real"]["distance"]["albedo"] < found[name]["distance"]["albedo"]
        assert found[name]["sliders"]["skin_tone"] > 0.7, "a slider does what its name says"
    assert abs(found["real"]["kernel"]["albedo"]) < 0.1 * found["faces"]["kernel"]["albedo"]
    assert found["faces"]["distance"]["albedo"] == pytest.approx(found["linear"]["distance"]["albedo"], rel=0.3)


@pytest.mark.slow
@needs_features
def test_evaluates_a_size_free_model(tmp_path, unmeasured_runs):
    """All maps are compared as pictures, at the size of the training samples, without a linear model."""
    from ganassets.training.evaluation.comparison import evaluate
    from ganassets.training.onnx_export import export_run
    from ganassets.training.run import train

    text = io.StringIO()
    console = Console(file=text, width=160)
    preset = replace(
        TEXTURES.presets[0], size=32, network_size=32, samples=100, width=8, max_width=16, kimg=0.03, batch=8
    )
    run = train(
        TEXTURES, preset, out=tmp_path / "run", seed=0, objective="rpgan", device="cpu", threads=1, data_options={},
        console=console,
    )  # fmt: skip
    threads = torch.get_num_threads()
    model_path = export_run(TEXTURES, run, None, console)
    result = evaluate(TEXTURES, model_path, 60, 0, console)
    again = [evaluate(TEXTURES, model_path, 8, 0, console) for _ in range(2)]
    assert again[0] == again[1], "the same numbers again"
    torch.set_num_threads(threads)
    real, model = result["rows"]
    assert (real["name"], model["name"]) == ("real", "textures") and result["beats_linear"] is None
    for row in (real, model):
        assert set(row["distance"]) == {"albedo", "height", "roughness", "metallic"}
        assert all(np.isfinite(value) for value in row["sliders"].values())
        assert "material:brick" in row["sliders"], "the variation of the data"
    for name, value in real["distance"].items():
        assert value < model["distance"][name]
    assert real["sliders"]["lightness"] > 0.5
    assert {"seam albedo", "seam height", "normal error"} <= real["assets"].keys() & model["assets"].keys()
    assert max(row["assets"]["normal error"] for row in (real, model)) < 1e-5
    assert "painted materials" in text.getvalue()
