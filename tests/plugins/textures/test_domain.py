"""The domain of textures."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from ganassets_textures import MOST_HEIGHT, SPEC
from ganassets_textures.domain import HEIGHT_UNIT, MAP_CHANNELS, MAX_HEIGHT, TexturesDomain
from ganassets_textures.materials import CLASSES, COLUMNS, MATERIAL_CLASSES, SCALE_TEXELS
from ganassets_textures.spatial_noise import CHANNELS
from support.textures_domain import SIZE, make_domain, make_samples

MAPS = ("albedo", "height", "roughness", "metallic")


@pytest.fixture(scope="module")
def domain() -> TexturesDomain:
    return make_domain()


def raw_of(count: int = 8) -> dict[str, torch.Tensor]:
    """Painted samples with unrelated noise."""
    signals, _, _ = make_samples().batch(np.arange(count))
    noise = torch.randn(count, len(CHANNELS), SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return {name: torch.from_numpy(array) for name, array in signals.items()} | {"noise": noise}


def rows(**columns: list[float]) -> torch.Tensor:
    """Return (n, c) conditions of bricks with these sliders, everything else 0."""
    n = len(next(iter(columns.values())))
    made = torch.zeros(n, len(COLUMNS))
    for name, values in ({"material:brick": [1.0] * n, "scale": [32.0] * n} | columns).items():
        made[:, COLUMNS.index(name)] = torch.tensor(values)
    return made


def test_domain_matches_the_spec(domain):
    assert domain.wraps == SPEC.wraps and domain.size is None and domain.network_size == SIZE
    assert domain.linear is None and domain.noise_channels == len(CHANNELS)
    assert sum(domain.signals.values()) == sum(3 if output.unit == "sRGB" else 1 for output in SPEC.outputs)
    for preset in SPEC.presets:
        assert preset.network_size % domain.stride == 0


def test_height_in_metres(domain):
    raw = {name: torch.full((2, 3 if name == "albedo" else 1, 4, 4), 0.5) for name in MAPS}
    outputs = domain.finish(raw | {"height": torch.full((2, 1, 4, 4), 2.0)}, rows(scale=[24.0, 48.0]))
    assert list(outputs) == [output.name for output in SPEC.outputs]
    expected = [2 * MATERIAL_CLASSES["brick"].unit_height / scale for scale in (24, 48)]
    np.testing.assert_allclose(outputs["height"][:, 0, 0, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("sign", [-1, 1])
def test_outputs_are_in_range(domain, sign):
    """Check large network outputs, every class and both ends of the scale."""
    condition = torch.zeros(2 * len(CLASSES), len(COLUMNS))
    condition[:, : len(CLASSES)] = torch.eye(len(CLASSES)).repeat(2, 1)
    condition[:, COLUMNS.index("scale")] = torch.tensor(SCALE_TEXELS).repeat_interleave(len(CLASSES))
    raw = {name: torch.full((len(condition), 3 if name == "albedo" else 1, 2, 2), 99.0 * sign) for name in MAPS}
    outputs = domain.finish(raw, condition)
    for output in SPEC.outputs:
        assert output.low is not None and output.high is not None
        assert outputs[output.name].min() >= output.low and outputs[output.name].max() <= output.high
    assert outputs["height"].abs().max() > MOST_HEIGHT / 2, "the range is no wider than need be"


def test_values_in_range_are_unchanged(domain):
    raw = raw_of()
    outputs = domain.finish(raw, torch.from_numpy(make_samples().conditions[:8]))
    for name in ("albedo", "roughness", "metallic"):
        assert torch.equal(outputs[name], raw[name])
    assert raw["height"].abs().max() <= MAX_HEIGHT


def test_zero_residual_is_a_flat_material_of_the_sliders(domain):
    hue, saturation, lightness = [0.0, 0.1, 0.6, 0.95], [0.0, 0.5, 1.0, 0.3], [0.5, 0.3, 0.6, 0.9]
    condition = rows(hue=hue, saturation=saturation, lightness=lightness, roughness=[0.1, 0.4, 0.7, 1.0])
    nothing = {name: torch.zeros(4, channels, 4, 4) for name, channels in domain.signals.items()}
    made = domain.centre(nothing, condition)
    assert made.keys() == nothing.keys()
    for name, channels in domain.signals.items():
        assert made[name].shape == (4, channels, 4, 4)
        assert torch.equal(made[name], made[name][..., :1, :1].expand(-1, -1, 4, 4))
    assert not made["height"].any()
    colours = [colorsys.hls_to_rgb(*hls) for hls in zip(hue, lightness, saturation, strict=True)]
    np.testing.assert_allclose(made["albedo"][..., 0, 0], colours, atol=1e-5)
    np.testing.assert_allclose(made["roughness"].flatten(1)[:, 0], [0.1, 0.4, 0.7, 1.0], atol=1e-6)


def test_metals_start_as_metal(domain):
    nothing = {name: torch.zeros(len(CLASSES), channels, 1, 1) for name, channels in domain.signals.items()}
    condition = torch.zeros(len(CLASSES), len(COLUMNS))
    condition[:, : len(CLASSES)] = torch.eye(len(CLASSES))
    metallic = dict(zip(CLASSES, domain.centre(nothing, condition)["metallic"].flatten().tolist(), strict=True))
    assert metallic["brushed-metal"] == 1 and metallic["brick"] == metallic["painted-metal"] == 0


def test_residual_is_added(domain):
    condition = rows(lightness=[0.5])
    nothing = {name: torch.zeros(1, channels, 2, 2) for name, channels in domain.signals.items()}
    plain = domain.centre(nothing, condition)
    moved = domain.centre({name: value + 0.25 for name, value in nothing.items()}, condition)
    for name in MAPS:
        difference = 0.25 * (HEIGHT_UNIT if name == "height" else 1)
        torch.testing.assert_close(moved[name], plain[name] + difference)


def test_view(domain):
    raw = raw_of()
    view = domain.view(raw)
    assert view.shape == (8, domain.view_channels, SIZE // 2, SIZE // 2)
    assert domain.view_size == SIZE // 2
    spread = view[:, : 4 * MAP_CHANNELS].std((0, 2, 3))
    assert (spread > 0.2).all() and (spread < 5).all(), "about unit variance"


def test_a_rolled_material_has_a_rolled_view(domain):
    raw = raw_of()
    moved = {name: value.roll((4, -6), (2, 3)) for name, value in raw.items()}
    torch.testing.assert_close(domain.view(moved), domain.view(raw).roll((2, -3), (2, 3)))


@pytest.mark.parametrize("name", [*MAPS, "noise"])
def test_the_view_shows_every_map_and_the_noise(domain, name):
    raw = raw_of()
    changed = raw | {name: torch.rand_like(raw[name])}
    assert not torch.equal(domain.view(raw), domain.view(changed))


def test_distance(domain):
    raw = raw_of()
    assert torch.equal(domain.distance(raw, raw), torch.zeros(8))
    for name in MAPS:
        changed = raw | {name: raw[name] + 0.1 * torch.rand_like(raw[name])}
        assert (domain.distance(raw, changed) > 0).all(), name
    near, far = (raw | {"albedo": raw["albedo"] + step} for step in (0.05, 0.1))
    assert (domain.distance(raw, near) < domain.distance(raw, far)).all()


def test_distance_is_relative_to_the_contrast(domain):
    """The same error counts more where a material has less contrast, and a tall error more than several small ones."""
    raw = raw_of()
    grey = torch.full_like(raw["albedo"], 0.5)
    waves = torch.linspace(0, 20, SIZE).sin().expand_as(grey)
    faint, strong = (raw | {"albedo": grey + waves * amount} for amount in (0.02, 0.4))
    moved = [domain.distance(side | {"albedo": side["albedo"] + 0.05}, side) for side in (faint, strong)]
    assert (moved[0] > moved[1]).all()
    spot = torch.zeros_like(grey)
    spot[..., :4, :4] = 0.05 * SIZE * SIZE / 16
    tall, spread = (domain.distance(faint | {"albedo": faint["albedo"] + e}, faint) for e in (spot, spot.mean()))
    assert (tall > spread).all()


def test_the_networks_see_all_columns_but_the_aspect(domain):
    condition = rows(scale=[32.0])
    for i, column in enumerate(COLUMNS):
        changed = condition.clone()
        changed[:, i] += 1
        seen = not torch.equal(domain.standardise(condition), domain.standardise(changed))
        assert seen == (column != "aspect"), column


def test_gradient_reaches_all_maps(domain):
    raw = {name: value.requires_grad_() for name, value in raw_of().items()}
    domain.view(raw).square().sum().backward()
    for name in MAPS:
        gradient = raw[name].grad
        assert gradient is not None and gradient.isfinite().all() and gradient.abs().sum() > 0
