"""The training domain of poses (torch)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganassets.api.motion.kinematics import world_pose
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.training.networks import Generator, NetworkSettings
from ganassets_poses import SPEC
from ganassets_poses.actions import ACTION_NAMES, COLUMNS, condition_column
from ganassets_poses.cycles import local_positions
from ganassets_poses.dataset import SLIDERS
from ganassets_poses.domain import PosesDomain
from ganassets_poses.signals import JOINTS, REST_HEIGHT, clip_from_signals, signals_from_clip, unstack_signals
from ganassets_poses.structure import CHANNELS, FPS, MARGIN, STRIDE, WHITE
from support.motion_clips import random_clip, walk_clip
from support.poses_data import FRAMES, TINY, make_domain, small_data, turning


@pytest.fixture(scope="module")
def domain() -> PosesDomain:
    return make_domain()


def raw_of(count: int = 6) -> dict[str, torch.Tensor]:
    """Return real samples with unrelated noise."""
    signals, _, _ = small_data().batch(np.arange(count))
    noise = torch.randn(count, len(CHANNELS), FRAMES, generator=torch.Generator().manual_seed(0))
    return {name: torch.from_numpy(array) for name, array in signals.items()} | {"noise": noise}


def rows(count: int = 6) -> torch.Tensor:
    """Return (n, c) conditions of real samples."""
    return torch.from_numpy(small_data().conditions[:count])


def residual(count: int, seed: int | None = None) -> dict[str, torch.Tensor]:
    """Return residuals of networks: zeros, or noise."""
    state = torch.Generator().manual_seed(seed or 0)
    shapes = {"root": 4, "rotations": 6 * JOINTS, "contacts": 4}
    scale = 0.0 if seed is None else 1.0
    return {name: scale * torch.randn(count, width, 5, generator=state) for name, width in shapes.items()}


def test_is_what_the_spec_says(domain):
    assert domain.wraps == SPEC.wraps and domain.size is None and domain.network_size == FRAMES
    assert domain.linear is None and domain.noise_channels == len(CHANNELS) and domain.white_channels == WHITE
    assert list(domain.signals) == [output.name for output in SPEC.outputs]
    for preset in SPEC.presets:
        assert preset.network_size % domain.stride == 0
    assert domain.margin == MARGIN and MARGIN % domain.stride == 0
    assert domain.stride == STRIDE


@pytest.mark.parametrize("seed", range(3))
def test_forward_kinematics_are_those_of_the_skeleton(domain, seed):
    clip = random_clip(np.random.default_rng(seed), 20)
    signals = signals_from_clip(clip)
    rotations, height = (torch.from_numpy(a)[None] for a in (signals.rotations, signals.root[3:]))
    made = domain.places(rotations, height)[0].permute(2, 0, 1).numpy()
    np.testing.assert_allclose(made, local_positions(signals), atol=1e-5)
    still = clip_from_signals(
        replace(signals, root=signals.root * np.array([[0], [0], [0], [1]], np.float32)), "", 30.0, False
    )
    np.testing.assert_allclose(made, world_pose(HUMANOID, still.translation, still.rotations)[0], atol=1e-4)


@pytest.mark.parametrize("angle", [0.0, 2.0])
def test_speeds_are_those_over_the_ground(domain, angle):
    """Velocities are in the figure's frame, also while it turns."""
    clip = turning(walk_clip(31, loop=False), np.linspace(0, angle, 31))
    signals = signals_from_clip(clip)
    root, rotations = (torch.from_numpy(a)[None] for a in (signals.root, signals.rotations))
    speeds = domain.speeds(domain.places(rotations, root[:, 3:]), root)[0].permute(2, 0, 1).numpy()
    made = clip_from_signals(signals, "", FPS, False)
    world = world_pose(HUMANOID, made.translation, made.rotations)[0]
    expected = np.linalg.norm(np.diff(world, axis=0), axis=-1) * FPS
    found = np.linalg.norm(speeds[:-1], axis=-1)
    assert np.abs(found - expected).max() < 0.05 + 0.03 * angle
    np.testing.assert_array_equal(speeds[-1] * 0, 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_outputs_are_rotations_for_any_network_output(domain, seed):
    made = domain.finish(domain.centre(residual(6, seed), rows()), rows())
    assert list(made) == [output.name for output in SPEC.outputs]
    columns = made["rotations"].reshape(6, JOINTS, 2, 3, 5)
    torch.testing.assert_close(columns.norm(dim=3), torch.ones(6, JOINTS, 2, 5))
    torch.testing.assert_close(
        (columns[:, :, 0] * columns[:, :, 1]).sum(2), torch.zeros(6, JOINTS, 5), atol=1e-5, rtol=0
    )
    for output in SPEC.outputs:
        if output.low is not None and output.high is not None:
            assert made[output.name].min() >= output.low - 1e-6 and made[output.name].max() <= output.high + 1e-6


def test_networks_that_give_nothing_make_the_rest_pose_travel(domain):
    condition = rows()
    made = domain.centre(residual(6), condition)
    expected = [
        condition[:, condition_column("speed")],
        torch.zeros(6),
        torch.deg2rad(condition[:, condition_column("turn")]),
        torch.full((6,), REST_HEIGHT),
    ]
    torch.testing.assert_close(made["root"], torch.stack(expected, 1)[:, :, None].expand(-1, -1, 5))
    rest = torch.eye(3)[:2].flatten().repeat(JOINTS)
    torch.testing.assert_close(made["rotations"], rest[None, :, None].expand(6, -1, 5))
    torch.testing.assert_close(made["contacts"], torch.full((6, 4, 5), 0.5))


def embedded(domain: PosesDomain, z: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Return the domain's embedding of physical conditions."""
    standard = domain.standardise(torch.from_numpy(condition))
    return domain.embed(torch.from_numpy(z.astype(np.float32)), standard).numpy()


def formula(condition: np.ndarray, z: np.ndarray, group: int) -> np.ndarray:
    """Return the coordinates of one row by the formula of ganassets_poses.groups.GroupModels."""
    data = small_data()
    std = data.conditions.std(0)
    sliders = ((condition - data.conditions.mean(0)) / np.where(std > 1e-3, std, 1))[SLIDERS]
    fit = data.constants
    return fit["means"][group] + sliders @ fit["slopes"][group] + z @ fit["loadings"][group]


def test_embed_is_the_formula_of_the_groups(domain):
    condition = small_data().conditions
    z = np.random.default_rng(0).normal(size=(len(condition), TINY.z_dim))
    made = embedded(domain, z, condition)
    assert made.shape == (len(condition), domain.embedded_width(TINY.z_dim))
    groups = condition[:, : len(ACTION_NAMES)].argmax(1) + len(ACTION_NAMES) * (
        condition[:, condition_column("loop")] == 1
    )
    assert len(set(groups)) == 3
    expected = [formula(row, latent, group) for row, latent, group in zip(condition, z, groups, strict=True)]
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-3)


def test_a_mix_of_actions_is_a_mix_of_their_coordinates(domain):
    z = np.random.default_rng(0).normal(size=(1, TINY.z_dim))
    row = small_data().conditions[0].copy()
    row[: len(ACTION_NAMES)], row[condition_column("loop")] = 0, 1
    row[condition_column("action:walk")], row[condition_column("action:jump")] = 0.3, 0.7
    walk, jump = (formula(row, z[0], len(ACTION_NAMES) + ACTION_NAMES.index(name)) for name in ("walk", "jump"))
    np.testing.assert_allclose(embedded(domain, z, row[None])[0], 0.3 * walk + 0.7 * jump, rtol=1e-3, atol=1e-3)


def test_known_latents_are_those_of_the_motion(domain):
    """Samples of the same segment have the same embedding, others differ."""
    data = small_data()
    assert data.latents is not None
    known = np.isfinite(data.latents).any(1)
    jumps = (
        known
        & (data.conditions[:, condition_column("action:jump")] == 1)
        & (data.conditions[:, condition_column("loop")] == 0)
    )
    z = np.nan_to_num(data.latents[jumps])
    condition = data.conditions[jumps]
    condition[:, SLIDERS] = condition[:1, SLIDERS]  # leave the pace out
    made = embedded(domain, z, condition)
    signs = z[:, 0] > 0
    assert 0 < signs.sum() < len(signs), "both jumps are there"
    for sign in (True, False):
        same = made[signs == sign]
        np.testing.assert_allclose(same, same[:1].repeat(len(same), 0), atol=1e-4)
    assert np.linalg.norm(made[signs][0] - made[~signs][0]) > 0.5


def test_embedding_is_linear_in_the_latent(domain):
    condition = small_data().conditions[:5]
    z = np.random.default_rng(1).normal(size=(5, TINY.z_dim))
    nothing, once, twice = (embedded(domain, factor * z, condition) for factor in (0, 1, 2))
    np.testing.assert_allclose(twice - once, once - nothing, atol=1e-3)


def make_generator(domain: PosesDomain) -> Generator:
    """Networks with random weights everywhere."""
    settings = NetworkSettings(TINY.z_dim, len(COLUMNS), TINY.w_dim, TINY.width, TINY.max_width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = Generator(domain, settings)
        for parameter in generator.parameters():
            parameter.data.add_(0.05 * torch.randn_like(parameter))
    return generator.eval().requires_grad_(False)


def test_loops_have_no_place_of_their_own(domain):
    """A noise map that begins a stride later gives a motion that begins a stride later."""
    generator = make_generator(domain)
    noise = torch.randn(3, len(CHANNELS), 48, generator=torch.Generator().manual_seed(2))
    z = torch.randn(3, TINY.z_dim, generator=torch.Generator().manual_seed(3))
    made = generator.sample(z, rows(3), noise)
    moved = generator.sample(z, rows(3), noise.roll(STRIDE, 2))
    for name, value in made.items():
        assert value.shape[2] == 48 and value.std(2).max() > 1e-3
        torch.testing.assert_close(value.roll(STRIDE, 2), moved[name], atol=1e-5, rtol=1e-4)


def test_view(domain):
    view = domain.view(raw_of())
    assert view.shape == (6, domain.view_channels, domain.view_size)
    assert torch.equal(view[:, WHITE - len(CHANNELS) :], raw_of()["noise"][:, WHITE:])
    assert view.isfinite().all()
    assert view.std((0, 2)).max() < 8, "about unit variance"


def test_distance(domain):
    raw = raw_of()
    assert torch.equal(domain.distance(raw, raw), torch.zeros(6))
    for name in ("root", "rotations", "contacts"):
        near, far = (raw | {name: raw[name] + step} for step in (0.05, 0.1))
        assert (domain.distance(raw, near) > 0).all()
        assert (domain.distance(raw, near) < domain.distance(raw, far)).all(), name
    other = {name: value.roll(1, 0) for name, value in raw.items()}
    torch.testing.assert_close(domain.distance(raw, other), domain.distance(other, raw))


def test_gradient_reaches_all_signals(domain):
    given = {name: value.requires_grad_() for name, value in residual(6, 3).items()}
    raw = domain.centre(given, rows())
    domain.view(raw | {"noise": torch.zeros(6, len(CHANNELS), 5)}).square().sum().backward()
    for name, value in given.items():
        assert value.grad is not None and value.grad.isfinite().all() and value.grad.abs().sum() > 0, name


def test_signals_that_are_no_rotations_can_be_repaired(domain):
    """The rounding of the data to float16 is less than a thousandth."""
    raw = raw_of()
    stacked = np.concatenate([raw[name][0].numpy() for name in ("root", "rotations", "contacts")])
    np.testing.assert_allclose(unstack_signals(stacked).rotations, raw["rotations"][0].numpy(), atol=2e-3)
