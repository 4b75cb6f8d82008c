"""Batches of training samples: structure that the data give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ganassets.api.latents import normal_noise_map
from ganassets.training.batches import BatchSampler, group_samples
from ganassets.training.distributed import DistributedContext
from support.domains import NETWORK_SIZE, NOISE_CHANNELS, STRIDE, make_data, make_domain, make_preset


def test_structure_replaces_the_last_channels():
    length = NETWORK_SIZE + 2 * STRIDE
    data = make_data("tile")
    structure = np.random.default_rng(0).random((len(data), 1, length, length), np.float32)
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
    assert all(np.ascontiguousarray(found[-1:]).tobytes() in known for found in noise)
    assert len(np.unique(noise[:, 0])) == noise[:, 0].size, "the others are white"
