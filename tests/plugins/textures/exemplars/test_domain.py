"""The domain of exemplars: decoding cells, the exact effects of sliders, views, and what a model file carries."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from ganassets.api.model_arrays import pack_arrays, unpack_arrays
from ganassets_textures import SPEC
from ganassets_textures.exemplars.domain import MAX_HEIGHT, ExemplarDomain, adjust_colour, normals
from ganassets_textures.exemplars.noise import Exemplars
from ganassets_textures.exemplars.samples import stack_maps
from support.exemplars import bricks, condition_row, make_fit, stripes

SETS = bricks(), stripes()


@pytest.fixture(scope="module")
def domain() -> ExemplarDomain:
    made = SPEC.domain(SPEC.preset("material"), make_fit(*SETS))
    assert isinstance(made, ExemplarDomain)
    return made


def raw_maps(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random raw samples whose colours stay in range when they are lightened a bit."""
    state = torch.Generator().manual_seed(seed)
    sizes = {"albedo": 3, "height": 1, "roughness": 1, "metallic": 1}
    made = {name: 0.3 + 0.4 * torch.rand(2, c, 8, 8, generator=state) for name, c in sizes.items()}
    # The exemplars are between 0.58 and 0.91 rough, and no metal.
    return made | {"roughness": 0.7 + 0.2 * made["roughness"], "metallic": torch.zeros(2, 1, 8, 8)}


def finish(domain: ExemplarDomain, **sliders: float) -> dict[str, torch.Tensor]:
    row = torch.from_numpy(condition_row(1, 0, **sliders))
    return domain.finish(raw_maps(), row.expand(2, -1))


def test_cells_decode_to_the_exemplar(domain):
    places = torch.arange(256, dtype=torch.float32).reshape(1, 1, 16, 16)
    maps = domain.maps_at(places)[0].numpy()
    error = maps - stack_maps(SETS[0])
    assert maps.shape == (6, 64, 64) and np.sqrt((error**2).mean((1, 2)))[:3].max() < 0.005


def test_places_out_of_range_are_the_nearest_cell(domain):
    places = torch.tensor([[[[-5.0, 0.0], [99999.0, 511.0]]]])
    maps = domain.maps_at(places)
    assert torch.equal(maps[..., :4, :4], maps[..., :4, 4:]) and torch.equal(maps[..., 4:, :4], maps[..., 4:, 4:])


def test_neutral_sliders_change_nothing(domain):
    raw, made = raw_maps(), finish(domain)
    for name in ("albedo", "roughness", "metallic"):
        torch.testing.assert_close(made[name], raw[name], atol=1e-6, rtol=0)
    texel = Exemplars(domain.model_arrays()).texel_size(condition_row(1, 0))
    torch.testing.assert_close(made["height"], raw["height"] * 2 * texel)


def test_the_networks_see_the_material_alone(domain):
    rows = [condition_row(1, 0), condition_row(1, 0, relief=2.0, hue=0.4, pieces=1.0), condition_row(0, 1)]
    found = domain.standardise(torch.from_numpy(np.stack(rows)))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_relief(domain):
    assert not finish(domain, relief=0.0)["height"].any()
    torch.testing.assert_close(finish(domain, relief=2.0)["height"], 2 * finish(domain)["height"])


def test_heights_are_limited(domain):
    raw = raw_maps() | {"height": torch.full((2, 1, 8, 8), 99.0)}
    row = torch.from_numpy(condition_row(0, 1)).expand(2, -1)
    texel = Exemplars(domain.model_arrays()).texel_size(condition_row(0, 1))
    torch.testing.assert_close(domain.finish(raw, row)["height"], torch.full((2, 1, 8, 8), MAX_HEIGHT * texel))


def test_saturation_and_lightness(domain):
    grey = finish(domain, saturation=0.0)["albedo"]
    torch.testing.assert_close(grey, raw_maps()["albedo"].mean(1, keepdim=True).expand(-1, 3, -1, -1))
    lighter = finish(domain, lightness=0.25)["albedo"]
    torch.testing.assert_close(lighter, raw_maps()["albedo"] + 0.25, atol=1e-6, rtol=0)
    assert finish(domain, lightness=0.5)["albedo"].max() <= 1


def test_roughness(domain):
    torch.testing.assert_close(finish(domain, roughness=-0.2)["roughness"], raw_maps()["roughness"] - 0.2)
    assert finish(domain, roughness=0.5)["roughness"].max() <= 1


@pytest.mark.parametrize(("turn", "order"), [(1 / 3, [2, 0, 1]), (-1 / 3, [1, 2, 0]), (2 / 3, [1, 2, 0])])
def test_a_third_of_a_turn_exchanges_the_channels(turn, order):
    albedo = raw_maps()["albedo"]
    turned = adjust_colour(albedo, torch.tensor(turn), torch.tensor(1.0), torch.tensor(0.0))
    torch.testing.assert_close(turned, albedo[:, order], atol=1e-5, rtol=0)
    red = torch.tensor([0.6, 0.4, 0.4]).reshape(1, 3, 1, 1)
    hue = colorsys.rgb_to_hsv(*adjust_colour(red, *map(torch.tensor, (turn, 1.0, 0.0))).flatten().tolist())[0]
    assert hue == pytest.approx(turn % 1, abs=1e-4)


@pytest.mark.parametrize("turn", [-0.5, 0.1, 0.37])
def test_a_turn_keeps_brightness_and_colourfulness(turn):
    albedo = raw_maps()["albedo"]
    turned = adjust_colour(albedo, torch.tensor(turn), torch.tensor(1.0), torch.tensor(0.0))
    torch.testing.assert_close(turned.mean(1), albedo.mean(1))
    torch.testing.assert_close(turned.var(1), albedo.var(1), atol=1e-5, rtol=1e-4)


def test_shares_that_do_not_sum_to_one(domain):
    rows = [torch.from_numpy(condition_row(*shares)).expand(2, -1) for shares in ((1, 1), (3, 3), (0.5, 0.5))]
    heights = [domain.finish(raw_maps(), row)["height"] for row in rows]
    torch.testing.assert_close(heights[0], heights[1])
    torch.testing.assert_close(heights[0], heights[2])
    nothing = domain.finish(raw_maps(), torch.from_numpy(condition_row(0, 0)).expand(2, -1))
    assert all(values.isfinite().all() for values in nothing.values())


def test_views(domain):
    views = domain.feature_views(raw_maps())
    assert [view.shape for view in views] == [(2, 3, 8, 8)] * 3
    torch.testing.assert_close((views[1] * 2 - 1).square().sum(1), torch.ones(2, 8, 8))
    assert domain.view(raw_maps()).shape == (2, domain.view_channels, 8, 8)
    assert domain.distance(raw_maps(), raw_maps()).tolist() == [0, 0]
    far = domain.distance(raw_maps(), raw_maps(1))
    assert far.shape == (2,) and (far > 0).all()
    height = torch.arange(8.0).expand(1, 1, 8, 8)
    inner = normals(height)[0, :, 4, 4]
    torch.testing.assert_close(inner, torch.tensor([-1.0, 0.0, 1.0]) / 2**0.5)


def test_arrays_for_the_model_file(domain):
    arrays = domain.model_arrays()
    assert arrays["guide"].dtype == np.int8 and arrays["exemplars"].dtype == np.int32
    found = unpack_arrays(pack_arrays(arrays), "m")
    assert {name: a.dtype for name, a in found.items()} == {name: a.dtype for name, a in arrays.items()}
    assert len(Exemplars(found)) == 2 and domain.window_of % domain.stride == 0
