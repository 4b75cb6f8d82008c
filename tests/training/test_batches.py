"""Batches of training samples: structure that is given by cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.latents import normal_noise_map
from ganassets.training.batches import BatchSampler, group_samples, repeat_to
from ganassets.training.distributed import DistributedContext
from support.domains import NETWORK_SIZE, NOISE_CHANNELS, STRIDE, make_data, make_domain, make_preset


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_cells_are_repeated(n, rows, columns, factor):
    cells = np.random.default_rng(0).random((n, 2, rows, columns), np.float32)
    found = repeat_to(cells, (rows * factor, columns * factor))
    assert found.shape == (n, 2, rows * factor, columns * factor)
    np.testing.assert_array_equal(found[:, :, ::factor, ::factor], cells)
    np.testing.assert_array_equal(found, np.kron(cells, np.ones((1, 1, factor, factor), np.float32)))


def test_one_axis():
    np.testing.assert_array_equal(repeat_to(np.array([[[1, 2]]]), (6,)), [[[1, 1, 1, 2, 2, 2]]])


def test_structure_by_cells_replaces_the_last_channels():
    length = NETWORK_SIZE + 2 * STRIDE
    data = make_data("tile")
    structure = np.random.default_rng(0).random((len(data), 1, length // 4, length // 4), np.float32)
    data = replace(data, structure=structure, tiles=np.zeros(len(data), bool))
    sampler = BatchSampler(
        make_preset(), make_domain("tile"), data, group_samples(data),
        lambda seed, row, size: normal_noise_map(seed, NOISE_CHANNELS, size),
        DistributedContext(), torch.device("cpu"), 0,
    )  # fmt: skip
    batch = sampler.draw()
    noise = batch.raw["noise"].numpy()
    assert noise.shape[1:] == (NOISE_CHANNELS, length, length)
    known = {row.tobytes() for row in structure}
    assert all(np.ascontiguousarray(found[-1:, ::4, ::4]).tobytes() in known for found in noise)
    assert len(np.unique(noise[:, 0])) == noise[:, 0].size, "the others are white"
