"""Samples that the generator can reproduce, crops, masks and noise maps in the training step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets.api.latents import normal_noise_map
from ganassets.api.spec import NoiseMap
from ganassets.training.batches import group_samples
from ganassets.training.checkpoint import load_checkpoint, save_checkpoint
from ganassets.training.schedule import WARM_UP, schedule
from ganassets.training.trainer import Trainer
from ganassets.training.trainer_state import to_json_types
from support.domains import (
    CPU,
    NETWORK_SIZE,
    NOISE_CHANNELS,
    STRIDE,
    ToyDomain,
    make_data,
    make_fit,
    make_preset,
    make_trainer,
)

KNOWN = 3  # numbers of a latent that the samples are a function of
MARGIN = NETWORK_SIZE + 2 * STRIDE


def known_data(n: int = 64, **changes: Any) -> TrainingData:
    """Tiles that follow their latent's first number and their noise map, with masks."""
    data, rng = make_data("tile", n), np.random.default_rng(1)
    latents, seeds = rng.normal(size=(n, KNOWN)).astype(np.float32), rng.integers(0, 2**40, n)
    noise = np.stack([normal_noise_map(seed, NOISE_CHANNELS, (NETWORK_SIZE, NETWORK_SIZE)) for seed in seeds])
    along = 0.3 * latents[:, 0, None, None, None] + 0.5 * noise[:, 2:]
    signals = {name: signal + along for name, signal in data.signals.items()}
    masks = rng.integers(0, 2, (n, 2)).astype(np.float32)
    return replace(data, signals=signals, **{"latents": latents, "noise_seeds": seeds, "masks": masks, **changes})


def unknown(share: float, n: int = 64) -> np.ndarray:
    """Latents of which the first ones are not known."""
    latents = np.ones((n, KNOWN), np.float32)
    latents[: round(share * n)] = np.nan
    return latents


def trainer_of(data: TrainingData, seed: int = 0, noise: NoiseMap | None = None, **changes: Any) -> Trainer:
    preset = make_preset(**changes)
    domain = ToyDomain("tile", make_fit("tile", data, preset))
    return Trainer(preset, domain, data, "rpgan", CPU, seed, noise)


def index_of(data: TrainingData, condition: torch.Tensor) -> np.ndarray:
    """Return the indices of a batch's samples; no two samples have the same conditions."""
    return np.array([np.flatnonzero((data.conditions == row).all(1)).item() for row in condition.numpy()])


def moved(trainer: Trainer, start: dict[str, torch.Tensor]) -> set[str]:
    """Return the networks and optimisers that have changed."""
    now = trainer.state()[0]
    return {key.split(".")[0] for key in now if key not in start or not torch.equal(now[key], start[key])}


def test_group_samples():
    data = known_data(8)
    assert [(len(g.index), g.has_latents, g.tiles) for g in group_samples(data)] == [(8, True, True)]
    assert [(len(g.index), g.has_latents, g.tiles) for g in group_samples(replace(data, latents=None))] == [
        (8, False, True)
    ]
    latents, tiles = unknown(0.5, 8), np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    groups = {
        (g.has_latents, g.tiles): g.index.tolist() for g in group_samples(replace(data, latents=latents, tiles=tiles))
    }
    assert groups == {(True, True): [4, 5, 6], (True, False): [7], (False, True): [0], (False, False): [1, 2, 3]}


def test_while_it_regresses_the_generator_alone_moves():
    trainer = trainer_of(known_data(), kimg=0.16, regression=0.5)
    start = trainer.state()[0]
    for _ in range(10):
        assert trainer.step().keys() == {"distance"}
    assert moved(trainer, start) == {"generator", "average", "adam_g", "noise_state"}
    assert trainer.step().keys() == {"d_loss", "d_gap"}
    assert "discriminator" in moved(trainer, start)


def regressed(data: TrainingData) -> float:
    """Return the distance after some steps, relative to its start."""
    trainer = trainer_of(data, kimg=1.6, regression=0.99)
    distances = [trainer.step()["distance"] for _ in range(150)]
    return float(np.mean(distances[-10:]) / np.mean(distances[:4]))


def test_regression_comes_nearer_to_the_samples_by_their_latents():
    """With latents of other samples, only the mean can be learnt."""
    data = known_data()
    latents = data.latents
    assert latents is not None
    along = np.broadcast_to(latents[:, :1, None, None], (64, 1, NETWORK_SIZE, NETWORK_SIZE))
    data = replace(data, signals={"albedo": along.repeat(3, 1), "height": along.copy()})
    assert regressed(data) < 0.4
    assert regressed(replace(data, latents=latents[::-1].copy())) > 0.6


def test_resuming_within_the_regression_equals_an_unbroken_run(tmp_path):
    settings: dict[str, Any] = {"kimg": 0.08, "regression": 0.5, "regression_weight": 2.0}
    first = trainer_of(known_data(), **settings)
    for _ in range(3):
        first.step()
    second = trainer_of(known_data(), seed=99, **settings)
    second.restore(*load_checkpoint(save_checkpoint(tmp_path, *first.state())))
    for _ in range(6):  # past its end
        assert first.step() == second.step()
    (a, numbers), (b, others) = first.state(), second.state()
    assert numbers == others and all(torch.equal(a[key], b[key]) for key in a)


def test_without_known_latents_there_is_no_regression():
    for latents in (None, unknown(1)):
        trainer = trainer_of(known_data(latents=latents), kimg=0.16, regression=0.5, regression_weight=1.0)
        assert trainer.step().keys() == {"d_loss", "d_gap", "penalty"}
        assert trainer.preset.regression == 0


@pytest.mark.parametrize(("latents", "weight", "counts"), [(0, 1.0, True), (0, 0.0, False), (1, 1.0, False)])
def test_the_distance_counts_in_the_adversarial_part(latents, weight, counts):
    trainer = trainer_of(known_data(latents=unknown(latents)), kimg=0.08, regression_weight=weight)
    metrics = [trainer.step() for _ in range(4)][-1]
    assert "g_loss" in metrics
    assert ("distance" in metrics) == counts


def test_a_heavier_distance_moves_the_generator_elsewhere():
    ends = []
    for weight in (0.0, 5.0):
        trainer = trainer_of(known_data(), kimg=0.08, regression_weight=weight)
        for _ in range(4):
            trainer.step()
        ends.append(trainer.state()[0]["generator.to_signals.conv.weight"])
    assert not torch.equal(*ends)


def test_schedule_with_regression():
    preset = make_preset(regression=0.5)
    regressing, after, later = (schedule(preset, progress) for progress in (0.25, 0.5, 0.5 + WARM_UP))
    assert regressing.generator_rate > 0 and regressing.discriminator_rate == 0
    assert after.generator_rate == 0 < after.discriminator_rate and after.gamma == preset.gamma
    assert later.generator_rate > 0
    assert schedule(preset, 1.0).gamma == pytest.approx(preset.gamma / 10)


def test_a_run_of_regression_alone_never_trains_the_discriminator():
    preset = make_preset(regression=1.0)
    rates = [schedule(preset, progress) for progress in (0.1, 0.5, 0.9, 1.0)]
    assert all(now.generator_rate > 0 == now.discriminator_rate for now in rates)
    assert rates[-1].generator_rate == pytest.approx(preset.regression_rate / 10)


def test_a_batch_holds_what_belongs_together():
    data = known_data()
    trainer = trainer_of(data)
    batch = trainer.sampler.draw()
    assert batch.has_latents and batch.tiles
    index = index_of(data, batch.condition)
    assert len(set(index)) > 1
    assert data.latents is not None and data.noise_seeds is not None and data.masks is not None
    np.testing.assert_array_equal(batch.z[:, :KNOWN], data.latents[index])
    assert batch.z.shape == (8, trainer.preset.z_dim)
    assert batch.z[:, KNOWN:].std() > 0.5, "the rest is random"
    for name, signal in data.signals.items():
        np.testing.assert_array_equal(batch.raw[name], signal[index].astype(np.float32))
    seeds = data.noise_seeds[index]
    expected = [normal_noise_map(int(seed), NOISE_CHANNELS, (NETWORK_SIZE, NETWORK_SIZE)) for seed in seeds]
    np.testing.assert_array_equal(batch.raw["noise"], np.stack(expected))
    np.testing.assert_array_equal(batch.raw["mask"], data.masks[index])


def test_unknown_samples_have_random_latents():
    batch = trainer_of(known_data(latents=unknown(1))).sampler.draw()
    assert not batch.has_latents and torch.isfinite(batch.z).all()
    assert batch.z[:, :KNOWN].std() > 0.5


def test_batches_of_either_kind_as_often_as_there_are_samples():
    trainer = trainer_of(known_data(latents=unknown(0.25)))
    assert np.mean([trainer.sampler.draw().has_latents for _ in range(200)]) == pytest.approx(0.75, abs=0.13)
    assert all(trainer.sampler.draw(require_latents=True).has_latents for _ in range(30))


def test_pairing_in_every_adversarial_step_spends_no_random_number():
    trainer = trainer_of(known_data(latents=unknown(0.25)), seed=5)
    expected = np.random.Generator(np.random.Philox(5))
    sizes = np.array([len(group.index) for group in trainer.sampler.groups], np.float64)
    for _ in range(20):
        batch = trainer.sampler.draw()
        group = trainer.sampler.groups[expected.choice(len(sizes), p=sizes / sizes.sum())]
        assert batch.has_latents == group.has_latents
        expected.integers(0, len(group.index), trainer.preset.batch)
    assert to_json_types(trainer.sampler.index_state.bit_generator.state) == to_json_types(expected.bit_generator.state)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_share_of_the_adversarial_steps_pairs(share):
    data = known_data()
    trainer = trainer_of(data, paired=share)
    drawn = [trainer.sampler.draw() for _ in range(200)]
    assert np.mean([batch.has_latents for batch in drawn]) == pytest.approx(share, abs=0.1 if share else 0)
    assert data.latents is not None
    for batch in drawn[:20]:
        same = batch.z[:, :KNOWN].numpy() == data.latents[index_of(data, batch.condition)]
        assert same.all() if batch.has_latents else not same.any()
    assert all(trainer.sampler.draw(require_latents=True).has_latents for _ in range(10)), (
        "while it regresses it needs to know"
    )


def test_real_and_fake_have_the_same_masks_and_noise():
    for tiles in (True, False):
        trainer = trainer_of(known_data(tiles=np.full(64, tiles)))
        batch = trainer.sampler.draw()
        real, fake = trainer.losses.crop_reals(batch), trainer.losses.make_fakes(batch)
        assert real.keys() == fake.keys() == {"albedo", "height", "noise", "mask"}
        for name in ("noise", "mask"):
            assert torch.equal(real[name], fake[name])
        assert {fake[name].shape[-1] for name in ("albedo", "height", "noise")} == {NETWORK_SIZE}


def test_a_crop_is_cut_from_a_larger_fake():
    trainer = trainer_of(known_data(tiles=np.zeros(64, bool)))
    for parameter in trainer.generator.parameters():
        parameter.data.add_(0.05)
    batch = trainer.sampler.draw()
    assert not batch.tiles and batch.raw["noise"].shape == (8, NOISE_CHANNELS, MARGIN, MARGIN)
    whole = trainer.generator.sample(batch.z, batch.condition, batch.raw["noise"])
    inner = slice(STRIDE, STRIDE + NETWORK_SIZE)
    for name, value in whole.items():
        assert torch.equal(trainer.losses.make_fakes(batch)[name], value[..., inner, inner])
    assert torch.equal(trainer.losses.crop_reals(batch)["noise"], batch.raw["noise"][..., inner, inner])
    assert torch.equal(trainer.losses.crop_reals(batch)["albedo"], batch.raw["albedo"])


def test_crops_are_not_rolled():
    trainer = trainer_of(known_data(tiles=np.zeros(64, bool)))
    batch = trainer.sampler.draw()
    for _ in range(3):
        real, fake = trainer.losses.make_views(
            trainer.losses.crop_reals(batch), trainer.losses.make_fakes(batch), batch.tiles
        )
        assert torch.equal(real, trainer.domain.view(trainer.losses.crop_reals(batch)))
        assert torch.equal(fake, trainer.domain.view(trainer.losses.make_fakes(batch)))


def test_tiles_are_rolled_both_by_the_same():
    trainer = trainer_of(known_data())
    place = torch.arange(NETWORK_SIZE**2).reshape(1, 1, NETWORK_SIZE, NETWORK_SIZE)
    shifts = set()
    for _ in range(12):
        a, b = trainer.losses.roll_views((place, place + 1000), True)
        assert torch.equal(a + 1000, b)
        down, right = divmod(int(torch.argmin(a)), NETWORK_SIZE)
        assert torch.equal(a, place.roll((down, right), (2, 3)))
        shifts.add((down, right))
    assert len(shifts) > 6


@pytest.mark.parametrize("kind", ["loop", "band", "picture"])
def test_samples_of_a_fixed_size_are_not_rolled(kind):
    trainer = make_trainer(kind)
    batch = trainer.sampler.draw()
    assert torch.equal(
        trainer.losses.make_views(trainer.losses.crop_reals(batch), trainer.losses.make_fakes(batch), batch.tiles)[0],
        trainer.domain.view(batch.raw),
    )


def test_the_plugins_noise_is_used_with_the_conditions():
    asked: list[tuple[int, float, tuple[int, ...]]] = []

    def noise(seed: int, row: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        asked.append((seed, float(row[0]), size))
        return np.full((NOISE_CHANNELS, *size), row[0], np.float32)

    data = known_data()
    trainer = trainer_of(data, noise=noise)
    batch = trainer.sampler.draw()
    assert data.noise_seeds is not None
    index = index_of(data, batch.condition)
    rows, seeds = data.conditions[index, 0], data.noise_seeds[index]
    size = (NETWORK_SIZE, NETWORK_SIZE)
    assert asked == [(int(seed), float(row), size) for seed, row in zip(seeds, rows, strict=True)]
    np.testing.assert_array_equal(batch.raw["noise"][:, 0, 0, 0], rows)
    asked.clear()
    trainer.snapshot(torch.zeros(3, 8), torch.tensor([[1.0, 0], [2, 0], [3, 0]]))
    with_margins = (MARGIN, MARGIN)
    assert asked == [(0, 1.0, with_margins), (1, 2.0, with_margins), (2, 3.0, with_margins)]


def test_samples_without_seeds_get_fresh_noise():
    trainer = trainer_of(replace(known_data(latents=None), noise_seeds=None))
    first, second = (trainer.sampler.draw().raw["noise"] for _ in range(2))
    assert not torch.equal(first, second)


def test_latents_may_be_known_in_part():
    """NaN stands for numbers that may be anything, other ones for each sample."""
    data = known_data()
    assert data.latents is not None
    free = np.random.default_rng(2).random(data.latents.shape) < 0.5
    free[0] = True
    latents = np.where(free, np.nan, data.latents).astype(np.float32)
    trainer = trainer_of(replace(data, latents=latents))
    drawn = [trainer.sampler.draw(require_latents=True) for _ in range(20)]
    index = np.concatenate([index_of(data, batch.condition) for batch in drawn])
    z = torch.cat([batch.z for batch in drawn]).numpy()
    given = np.isfinite(latents[index])
    assert given.any(1).all() and not given.all(1).all()
    np.testing.assert_array_equal(z[:, :KNOWN][given], latents[index][given])
    assert np.isfinite(z).all() and z[:, :KNOWN][~given].std() == pytest.approx(1, abs=0.25)


def structured(tiles: bool, channels: int = 2) -> TrainingData:
    """Tiles or crops whose noise map's last channels are the data's own."""
    side = NETWORK_SIZE if tiles else MARGIN
    structure = np.random.default_rng(3).normal(size=(64, channels, side, side)).astype(np.float32)
    return known_data(structure=structure, tiles=np.full(64, tiles))


@pytest.mark.parametrize("tiles", [True, False])
def test_structure_takes_the_place_of_the_last_channels(tiles):
    data = structured(tiles)
    assert data.structure is not None and data.noise_seeds is not None
    trainer = trainer_of(data)
    batch = trainer.sampler.draw()
    index = index_of(data, batch.condition)
    np.testing.assert_array_equal(batch.raw["noise"][:, 1:], data.structure[index])
    side = data.structure.shape[-1]
    white = [normal_noise_map(int(seed), NOISE_CHANNELS, (side, side))[:1] for seed in data.noise_seeds[index]]
    np.testing.assert_array_equal(batch.raw["noise"][:, :1], np.stack(white))
    assert torch.equal(trainer.losses.make_fakes(batch)["noise"], trainer.losses.crop_reals(batch)["noise"])


class Wide(ToyDomain):
    """A domain whose crops need more room."""

    @property
    def margin(self) -> int:
        """Two strides."""
        return 2 * STRIDE


def test_a_domain_says_how_wide_margins_are():
    data, preset = known_data(tiles=np.zeros(64, bool)), make_preset()
    trainer = Trainer(preset, Wide("tile", make_fit("tile", data, preset)), data, "rpgan", CPU, 0)
    for parameter in trainer.generator.parameters():
        parameter.data.add_(0.05)
    batch = trainer.sampler.draw()
    side = NETWORK_SIZE + 4 * STRIDE
    assert batch.raw["noise"].shape[2:] == (side, side)
    inner = slice(2 * STRIDE, 2 * STRIDE + NETWORK_SIZE)
    whole = trainer.generator.sample(batch.z, batch.condition, batch.raw["noise"])
    for name, value in trainer.losses.make_fakes(batch).items():
        if name in whole:
            assert torch.equal(value, whole[name][..., inner, inner])
    assert torch.equal(trainer.losses.crop_reals(batch)["noise"], batch.raw["noise"][..., inner, inner])
    made = trainer.snapshot(torch.zeros(2, 8), torch.rand(2, 2))
    assert {array.shape[2:] for array in made.values()} == {(side, side)}


def test_as_many_structures_as_samples():
    with pytest.raises(InputError, match="as many in each of its arrays"):
        known_data(structure=np.zeros((63, 1, NETWORK_SIZE, NETWORK_SIZE), np.float32))
