"""Training samples of heads: reproducible from a seed, for any number of samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets_faces import SPEC
from ganassets_faces.basis import load_basis

TINY = replace(SPEC.presets[0], size=32, network_size=16, samples=80)


def make(samples: int = 80, seed: int = 0, size: int = 32, **options: str) -> TrainingData:
    return SPEC.dataset(replace(TINY, samples=samples, size=size), options, seed, lambda done, total: None)


def test_shapes_and_ranges():
    data, basis = make(), load_basis()
    assert data.signals["albedo"].shape == (80, 3, 32, 32) and data.signals["albedo"].dtype == np.uint8
    assert data.vectors["shape"].shape == (80, len(basis.components)) and data.vectors["shape"].dtype == np.float32
    assert data.conditions.shape == (80, SPEC.condition_width) and data.conditions.dtype == np.float32
    assert data.licence == "CC0-1.0" and data.name and data.source and not data.problems


def test_shape_and_conditions_belong_to_one_person():
    data, basis = make(), load_basis()
    rows = {tuple(row): i for i, row in enumerate(basis.sample_attributes.tolist())}
    for condition, shape in zip(data.conditions.tolist(), data.vectors["shape"], strict=True):
        assert np.array_equal(basis.sample_shapes[rows[tuple(condition)]], shape)


def test_skin_follows_its_tone():
    data = make()
    light = data.signals["albedo"].mean((1, 2, 3))
    assert np.corrcoef(light, data.conditions[:, 6])[0, 1] < -0.8


def test_same_seed_same_samples():
    first, again, other = make(20), make(20), make(20, seed=1)
    assert np.array_equal(first.signals["albedo"], again.signals["albedo"])
    assert np.array_equal(first.conditions, again.conditions)
    assert not np.array_equal(first.conditions, other.conditions)


@pytest.mark.parametrize("samples", [128, 150])
def test_more_samples_begin_with_the_same(samples):
    """Skins come in chunks with a random state each, so whole chunks stay as they are."""
    few, many = make(64), make(samples)
    assert np.array_equal(many.conditions[:64], few.conditions)
    assert np.array_equal(many.vectors["shape"][:64], few.vectors["shape"])
    assert np.array_equal(many.signals["albedo"][:64], few.signals["albedo"])


def test_people_are_not_repeated():
    data = make(300)
    assert len(np.unique(data.conditions, axis=0)) == 300


def test_progress_reaches_the_end():
    reports: list[tuple[int, int]] = []
    SPEC.dataset(TINY, {}, 0, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (80, 80) and [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_skins_from_a_folder(tmp_path: Path):
    rng = np.random.default_rng(0)
    for i in range(2):
        Image.fromarray(rng.integers(90, 200, (256, 256, 3), dtype=np.uint8)).save(tmp_path / f"skin{i}.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    data = make(4, size=128, skins=str(tmp_path))
    assert data.signals["albedo"].shape == (4, 3, 128, 128)
    assert data.licence != "CC0-1.0" and tmp_path.name in data.name
    assert len(data.problems) == 1 and "broken.png" in data.problems[0][0]


def test_folder_without_skins(tmp_path: Path):
    with pytest.raises(InputError):
        make(4, skins=str(tmp_path / "nowhere"))
