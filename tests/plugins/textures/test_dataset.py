"""Training samples of materials: painted ones, and the choice between them and the user's sets."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets_textures import SPEC
from ganassets_textures.materials import CLASSES, COLUMNS, CONDITIONS
from ganassets_textures.painter import Z_DIM, paint_material
from ganassets_textures.samples import SIGNALS, condition_values
from ganassets_textures.spatial_noise import pattern_noise, pattern_of
from support.material_files import colours, save

SIZE = 32
TINY = replace(SPEC.presets[0], size=SIZE, network_size=SIZE)
SLIDERS = [condition.name for condition in CONDITIONS if not condition.choices]


def make(samples: int = 36, seed: int = 0, **options: str) -> TrainingData:
    return SPEC.dataset(replace(TINY, samples=samples), options, seed, lambda done, total: None)


@pytest.fixture(scope="module")
def painted() -> TrainingData:
    return make(40)


def test_shapes_and_types(painted):
    assert {name: (a.shape, a.dtype) for name, a in painted.signals.items()} == {
        name: ((40, channels, SIZE, SIZE), np.dtype(dtype)) for name, (channels, dtype) in SIGNALS.items()
    }
    assert painted.conditions.shape == (40, SPEC.condition_width) and painted.conditions.dtype == np.float32
    assert painted.vectors == {} and painted.problems == () and painted.notes == ()
    assert painted.licence == "CC0-1.0" and painted.name and painted.source
    assert painted.masks is None and painted.tiles is None, "all have all maps and tile"


def test_classes_have_equal_shares(painted):
    shares = painted.conditions[:, : len(CLASSES)]
    assert (shares.sum(1) == 1).all() and set(np.unique(shares)) == {0, 1}
    assert set(shares.sum(0)) == {2, 3}


def test_sliders_are_in_range(painted):
    for condition in CONDITIONS:
        if not condition.choices:
            values = painted.conditions[:, COLUMNS.index(condition.name)]
            assert values.min() >= condition.low - 1e-5 and values.max() <= condition.high + 1e-5, condition.name


def test_samples_can_be_repainted(painted):
    """Paint a sample again from its latent, noise seed and conditions, the inputs that a network learns from."""
    assert painted.latents is not None and painted.noise_seeds is not None
    assert painted.latents.shape == (40, Z_DIM) and np.isfinite(painted.latents).all()
    assert len(np.unique(painted.latents[:, 0])) == len(np.unique(painted.noise_seeds)) == 40
    for i in range(18, 38):
        row = painted.conditions[i]
        sliders = {name: float(row[COLUMNS.index(name)]) for name in SLIDERS}
        noise = pattern_noise(int(painted.noise_seeds[i]), pattern_of(row), (SIZE, SIZE))
        maps = paint_material(CLASSES[int(row[: len(CLASSES)].argmax())], sliders, painted.latents[i], noise)
        for name, signal in painted.signals.items():
            scale = 255 if signal.dtype == np.uint8 else 1
            expected = scale * np.asarray(getattr(maps, name)).reshape(signal[i].shape)
            # Rounding of sliders to float32 may move a value over a border of rounding.
            np.testing.assert_allclose(signal[i], expected, atol=0.51 if scale == 255 else 0.01, err_msg=name)


def test_same_seed_same_samples(painted):
    again, other = make(40), make(40, seed=1)
    for name, signal in painted.signals.items():
        assert np.array_equal(signal, again.signals[name])
        assert not np.array_equal(signal, other.signals[name])
    assert np.array_equal(painted.conditions, again.conditions)
    assert painted.noise_seeds is not None and again.noise_seeds is not None
    assert np.array_equal(painted.noise_seeds, again.noise_seeds)


def test_more_samples_begin_with_the_same(painted):
    fewer = make(20)
    assert np.array_equal(painted.signals["albedo"][:20], fewer.signals["albedo"])
    assert np.array_equal(painted.conditions[:20], fewer.conditions)


def test_progress_reaches_the_end():
    reports: list[tuple[int, int]] = []
    SPEC.dataset(replace(TINY, samples=70), {}, 0, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (70, 70) and {total for _, total in reports} == {70}
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_sets_of_the_users_own_become_exemplars(tmp_path):
    save(tmp_path / "things" / "brick_color.png", colours())
    (tmp_path / "things" / "broken_color.png").write_bytes(b"no picture")
    preset = replace(SPEC.preset("material"), size=SIZE, network_size=SIZE, samples=4)
    data = SPEC.dataset(preset, {"data": str(tmp_path / "things")}, 0, lambda done, total: None)
    assert "codes" in data.constants and "things" in data.name and data.licence != "CC0-1.0"
    assert [file for file, _ in data.problems] == ["broken_color.png"]


def test_a_preset_for_the_other_kind_of_data_is_refused(tmp_path):
    says = f"quick is for painted materials; learn {tmp_path} with --preset material or materials"
    with pytest.raises(InputError, match=re.escape(says)):
        make(2, data=str(tmp_path))
    with pytest.raises(InputError, match="material is for your own materials; give a folder of them with --data"):
        SPEC.dataset(SPEC.preset("material"), {}, 0, lambda done, total: None)


def test_a_folder_without_sets_fails_before_painting(tmp_path, monkeypatch):
    monkeypatch.setattr("ganassets_textures.painted_samples.paint_material", lambda *_: pytest.fail("painted"))
    with pytest.raises(InputError, match="nowhere"):
        SPEC.dataset(SPEC.preset("material"), {"data": str(tmp_path / "nowhere")}, 0, lambda done, total: None)


def test_condition_values():
    sliders = {name: 0.1 * i for i, name in enumerate(SLIDERS)}
    made = dict(zip(COLUMNS, condition_values("sand", sliders), strict=True))
    assert {name: made[name] for name in SLIDERS} == sliders
    assert {name: value for name, value in made.items() if ":" in name and value} == {"material:sand": 1.0}
