"""Training samples as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.data import TrainingData, as_float
from ganassets.api.errors import InputError


def make(signals: int = 5, vectors: int = 5, conditions: int = 5) -> TrainingData:
    rng = np.random.default_rng(0)
    return TrainingData(
        {
            "albedo": rng.integers(0, 256, (signals, 3, 4, 4), dtype=np.uint8),
            "height": rng.normal(size=(signals, 1, 4, 4)),
        },
        {"shape": rng.normal(size=(vectors, 2)).astype(np.float32)},
        rng.uniform(size=(conditions, 3)).astype(np.float32),
        "noise",
        "CC0-1.0",
        "made up",
    )


def test_batch_is_aligned_and_in_floats():
    data, index = make(), np.array([4, 0, 4])
    signals, vectors, conditions = data.batch(index)
    assert len(data) == 5
    np.testing.assert_allclose(signals["albedo"], data.signals["albedo"][index] / 255, atol=1e-6)
    np.testing.assert_allclose(signals["height"], data.signals["height"][index], atol=1e-6)
    assert np.array_equal(vectors["shape"], data.vectors["shape"][index])
    assert np.array_equal(conditions, data.conditions[index])
    assert {array.dtype for array in (*signals.values(), *vectors.values(), conditions)} == {np.dtype(np.float32)}


def test_bytes_reach_both_ends_of_the_range():
    assert as_float(np.array([0, 51, 255], np.uint8)).tolist() == pytest.approx([0, 0.2, 1])
    floats = np.ones(3, np.float32)
    assert as_float(floats) is floats, "not copied"


@pytest.mark.parametrize("sizes", [(4, 5, 5), (5, 4, 5), (5, 5, 4), (0, 0, 0)])
def test_arrays_must_be_as_long_as_each_other(sizes):
    with pytest.raises(InputError, match="as many in each"):
        make(*sizes)


EXTRAS = {
    "latents": np.zeros((5, 2), np.float32),
    "noise_seeds": np.zeros(5, np.int64),
    "masks": np.ones((5, 1), np.float32),
    "tiles": np.ones(5, np.bool_),
}


def test_what_size_free_samples_have_besides():
    data = replace(make(), **EXTRAS, notes=("one", "two"))
    assert len(data) == 5 and data.notes == ("one", "two")


@pytest.mark.parametrize("name", EXTRAS)
@pytest.mark.parametrize("length", [0, 4, 6])
def test_that_must_be_as_long_too(name, length):
    with pytest.raises(InputError, match="as many in each"):
        replace(make(), **EXTRAS | {name: np.resize(EXTRAS[name], (length, *EXTRAS[name].shape[1:]))})


def test_half_floats_become_floats():
    half = np.array([0.5, -2, 1e-3], np.float16)
    assert as_float(half).dtype == np.float32 and as_float(half).tolist() == half.tolist()


def test_no_signals_no_vectors_is_possible_no_samples_is_not():
    assert len(TrainingData({}, {}, np.zeros((2, 0), np.float32), "", "", "")) == 2
    with pytest.raises(InputError):
        TrainingData({}, {}, np.zeros((0, 3), np.float32), "", "", "")
