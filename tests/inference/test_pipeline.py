"""Generating assets from seeds and condition values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganassets.api.errors import GanassetsError, InputError, PluginError
from ganassets.api.latents import condition_row
from ganassets.api.registry import load_generator
from ganassets.inference import pipeline
from ganassets.inference.batch.names import asset_name
from ganassets.inference.conditions import encode_conditions
from ganassets.inference.model import Model, open_model
from ganassets.inference.pipeline import blended_noise
from ganassets.inference.resolve import generate_assets
from support.requests import request_of
from support.size_free import DEFAULT_SIZE, STRIDE

NAN = float("nan")


def everything(batches: Any) -> dict[str, tuple[bytes, bytes]]:
    """Name -> (positions, texture) of all assets."""
    return {
        asset.name: (asset.positions.tobytes(), asset.materials[0].albedo.tobytes())
        for batch in batches
        for asset in batch
    }


def test_an_asset_is_the_same_alone_and_in_any_batch(squares, make_model):
    model, spec = open_model(make_model()), load_generator("squares")
    seeds = (3, 2**40, 0, 11, 5, 8, 1)
    whole = everything(generate_assets(model, spec, request_of(seeds), batch=7))
    assert list(whole) == [asset_name("squares", seed) for seed in seeds]
    assert len(set(whole.values())) == 7
    for size in (1, 2, 3):
        assert everything(generate_assets(model, spec, request_of(seeds), batch=size)) == whole
    for seed in seeds:
        name = asset_name("squares", seed)
        assert everything(generate_assets(model, spec, request_of((seed,)))) == {name: whole[name]}


def test_provenance_says_where_an_asset_comes_from(squares, make_model):
    model = open_model(make_model())
    values = {"age": 30.0, "tint": {"red": 1.0}}
    ((asset,),) = generate_assets(model, load_generator("squares"), request_of((9,), 0.5, values))
    provenance = asset.provenance
    assert (provenance.generator, provenance.seed, provenance.truncation, provenance.licence) == (
        "squares 1.2",
        9,
        0.5,
        "CC0-1.0",
    )
    assert provenance.model_digest == model.digest
    assert provenance.sliders == {"age": 30.0, "tint:red": 1.0, "tint:green": 0.0}
    assert asset.name == "squares-00000009"


def test_truncation_narrows_the_variety(squares, make_model):
    model, spec = open_model(make_model()), load_generator("squares")
    spread = []
    for truncation in (0.0, 0.3, 1.0):
        assets = everything_of(model, spec, request_of(range(30), truncation))
        spread.append(np.ptp([a.positions for a in assets], axis=0).mean())
    assert spread[0] == 0 < spread[1] < spread[2]


def test_conditions_are_checked_before_anything_runs(squares, make_model):
    with pytest.raises(InputError, match="no slider"):
        generate_assets(open_model(make_model()), load_generator("squares"), request_of((1,), 1.0, {"nose": 1}))


@pytest.mark.parametrize("change", [{"truncation": -0.1}, {"truncation": 1.1}, {"truncation": NAN}, {"batch": 0}])
def test_requests_that_do_not_fit(change):
    with pytest.raises(InputError):
        request_of((1,), **change)


def test_a_model_with_invalid_outputs_is_reported(squares, make_model):
    def edit(model):
        import onnx

        for tensor in model.graph.initializer:
            if tensor.name == "to_albedo":
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.full((3, 48), np.nan, np.float32), tensor.name))

    with pytest.raises(InputError, match="makes albedo with numbers that are not finite"):
        list(generate_assets(open_model(make_model(edit)), load_generator("squares"), request_of((1,))))


def test_a_decoder_that_fails_is_reported(squares, make_model):
    spec = replace(load_generator("squares"), decode=lambda *_: 1 / 0)
    with pytest.raises(GanassetsError, match=r"'squares' of .*: decode must .* but it raised ZeroDivisionError"):
        list(generate_assets(open_model(make_model()), spec, request_of((1,))))


def everything_of(model, spec, request, batch=8) -> list[Any]:
    """All assets of a request, in order."""
    return [asset for assets in generate_assets(model, spec, request, batch) for asset in assets]


MAPS = ("albedo", "height")


def assert_same(a, b, atol=0.0):
    """Two texture sets have the same maps."""
    for name in MAPS:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=atol)


def test_sizes(tiling):
    model, spec = tiling
    (asset,) = everything_of(model, spec, request_of((1,)))
    assert asset.height.shape == (DEFAULT_SIZE, DEFAULT_SIZE) and asset.tiles
    for size in ((8, 24), (STRIDE, STRIDE), (40, 4)):
        (asset,) = everything_of(model, spec, request_of((1,), size=size))
        assert asset.height.shape == size and asset.tiles
        assert asset.height.std() > 0.01


def test_an_asset_of_any_size_is_the_same_alone_and_in_any_batch(tiling):
    model, spec = tiling
    together = everything_of(model, spec, request_of((5, 6, 7), size=(16, 24)))
    assert len({asset.height.tobytes() for asset in together}) == 3
    for asset in together:
        (alone,) = everything_of(model, spec, request_of((asset.provenance.seed,), size=(16, 24)), batch=1)
        assert alone.name == asset.name
        assert_same(alone, asset)


def test_large_maps_go_through_the_network_one_by_one(tiling, monkeypatch):
    model, spec = tiling
    monkeypatch.setattr(pipeline, "TEXELS_AT_ONCE", 16 * 16)
    for side, expected in ((8, [4, 1]), (16, [1] * 5), (24, [1] * 5)):
        batches = list(generate_assets(model, spec, request_of(range(5), size=(side, side), window=side)))
        assert [len(batch) for batch in batches] == expected


@pytest.mark.parametrize("window", [1, 50, 60])
def test_windows_change_nothing(tiling, window):
    model, spec = tiling
    request = request_of((3,), size=(96, 72))
    (whole,), (parts,) = (
        everything_of(model, spec, r) for r in (request, request.model_copy(update={"window": window}))
    )
    assert_same(whole, parts, atol=1e-5)


def test_maps_that_are_too_large_for_memory_get_windows(tiling, monkeypatch):
    model, spec = tiling
    (whole,) = everything_of(model, spec, request_of((3,), size=(96, 72)))
    sizes = []

    def run(self, *args, noise):
        sizes.append(noise.shape[2:])
        return unspied(self, *args, noise=noise)

    unspied = Model.run
    monkeypatch.setattr(Model, "run", run)
    monkeypatch.setattr(pipeline, "TEXELS_AT_ONCE", 64 * 64)
    monkeypatch.setattr(pipeline, "DEFAULT_WINDOW", 64)
    (parts,) = everything_of(model, spec, request_of((3,), size=(96, 72)))
    assert len(sizes) > 1 and max(max(size) for size in sizes) <= 64
    assert_same(whole, parts, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((18, 24), "the size 24x18 is no multiple of 4; use 24x16 or 24x20, or --crop, which cuts it from 24x20"),
        ((16, 23), "use 20x16 or 24x16"),
        ((2, 3), "use 4x4, or --crop"),
        ((0, 8), "a size of 8x0 is not possible"),
        ((8, -4), "is not possible"),
        ((8,), "is not possible"),
        ((8, 8, 8), "is not possible"),
        ((2**13, 2**13 + 4), "at most 16,777,216 texels are"),
        ((2**40, 2**40), "is not possible"),
    ],
)
def test_sizes_that_can_not_be_made(tiling, size, message):
    with pytest.raises(InputError) as caught:
        generate_assets(tiling[0], tiling[1], request_of((1,), size=size))
    assert message in str(caught.value)


def test_a_cropped_size_is_cut_from_the_next_larger_one(tiling):
    model, spec = tiling
    (cut,), (whole,) = (
        everything_of(model, spec, request)
        for request in (request_of((4,), size=(18, 23), crop=True), request_of((4,), size=(20, 24)))
    )
    assert cut.height.shape == (18, 23) and not cut.tiles and whole.tiles
    assert_same(cut, whole.cropped((18, 23)))
    (full,) = everything_of(model, spec, request_of((4,), size=(20, 24), crop=True))
    assert full.tiles, "nothing had to be cut"


@pytest.mark.parametrize("change", [{"size": (4, 4)}, {"window": 64}, {"crop": True}])
def test_models_with_a_size_of_their_own_refuse_another(squares, make_model, change):
    with pytest.raises(InputError, match="models of squares make one size only; leave out --size, --crop and --window"):
        generate_assets(open_model(make_model()), load_generator("squares"), request_of((1,), **change))


@pytest.mark.parametrize("change", [{"window": 0}, {"batch": 0}])
def test_requests_of_size_free_models_that_do_not_fit(change):
    with pytest.raises(InputError):
        request_of((), **change)


def test_the_plugins_noise_map_is_used(tiling):
    model, spec = tiling
    asked = []

    def noise(seed, row, size):
        asked.append((seed, row.tolist(), size))
        return np.zeros((3, *size), np.float32)

    (flat,) = everything_of(model, replace(spec, noise=noise), request_of((8,), 1.0, {"age": 3.0}, size=(8, 12)))
    ((seed, row, size),) = asked
    assert (seed, size) == (8, (8, 12)) and row == pytest.approx(list(flat.provenance.sliders.values())) and row[1] == 3
    assert np.ptp(flat.height) < 1e-4, "a wrapping network is the same at every position"


def test_a_noise_map_that_fails_or_does_not_fit_is_reported(tiling):
    model, spec = tiling
    with pytest.raises(GanassetsError, match=r"'tiles' of .*: noise must .* but it raised ZeroDivisionError"):
        list(generate_assets(model, replace(spec, noise=lambda *_: 1 / 0), request_of((1,))))
    wrong = replace(spec, noise=lambda seed, row, size: np.zeros((2, *size), np.float32))
    with pytest.raises(
        PluginError, match="a finite float32 array of 3 x 8 x 8, but it returned a float32 array of 2 x"
    ):
        list(generate_assets(model, wrong, request_of((1,), size=(8, 8))))


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_blended_noise_keeps_its_spread(seed, share):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(3, 32, 24)).astype(np.float32)
    b = (3 * rng.normal(size=(3, 32, 24)) + 1).astype(np.float32)
    made = blended_noise(a, b, share)
    assert made.dtype == np.float32
    for channel, first, last in zip(made, a, b, strict=True):
        assert channel.std() == pytest.approx((1 - share) * first.std() + share * last.std(), rel=1e-4)
        assert channel.mean() == pytest.approx((1 - share) * first.mean() + share * last.mean(), abs=1e-4)


def test_blended_noise_at_its_ends_and_where_it_is_even():
    """A map smaller than a unit of its pattern has channels of one value."""
    rng = np.random.default_rng(0)
    a = np.stack([rng.normal(size=(8, 8)), np.full((8, 8), 0.7)]).astype(np.float32)
    b = np.stack([rng.normal(size=(8, 8)), np.full((8, 8), -0.3)]).astype(np.float32)
    np.testing.assert_allclose(blended_noise(a, b, 0.0), a, atol=1e-6)
    np.testing.assert_allclose(blended_noise(a, b, 1.0), b, atol=1e-6)
    np.testing.assert_allclose(blended_noise(a, b, 0.25)[1], 0.45, atol=1e-6)


def widths(model, seeds) -> list[int]:
    """Columns that the maps of these seeds are to have."""
    manifest = model.manifest
    fixed = encode_conditions(manifest.conditions, {})
    rows = [condition_row(seed, manifest.rows, fixed) for seed in seeds]
    return [STRIDE * (1 + int(row[1])) for row in rows]


def test_the_plugin_chooses_a_size_for_each(choosing):
    model, spec = choosing
    seeds = tuple(range(9))
    expected = widths(model, seeds)
    assert len(set(expected)) > 2, "different ones"
    for rows in (1, 3):
        made = everything_of(model, spec, request_of(seeds, settings={"rows": rows}), batch=9)
        assert [asset.provenance.seed for asset in made] == list(seeds), "in their order"
        assert [asset.height.shape for asset in made] == [(STRIDE * rows, width) for width in expected]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=7, unique=True), st.integers(1, 8))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_assets_of_different_sizes_are_the_same_alone_and_in_any_batch(choosing, seeds, batch):
    model, spec = choosing
    together = everything_of(model, spec, request_of(seeds, settings={"rows": 2}), batch=batch)
    assert [asset.name for asset in together] == [asset_name("tiles", seed) for seed in seeds]
    for asset in together:
        (alone,) = everything_of(model, spec, request_of((asset.provenance.seed,), settings={"rows": 2}))
        assert_same(alone, asset, atol=1e-6)
        assert alone.provenance == asset.provenance


def test_the_plugin_hears_of_settings_when_it_decodes(choosing):
    model, spec = choosing
    heard = []

    def decode(arrays, manifest, names, provenances, settings):
        heard.append((list(names), dict(settings)))
        return spec.decode(arrays, manifest, names, provenances, settings)

    everything_of(model, replace(spec, decode=decode), request_of((1, 2, 3), settings={"rows": 2}))
    assert all(values == {"rows": 2} for _, values in heard)
    assert sorted(name for names, _ in heard for name in names) == [asset_name("tiles", seed) for seed in (1, 2, 3)]


@pytest.mark.parametrize("change", [{"size": (8, 8)}, {"window": 64}, {"crop": True}])
def test_models_whose_plugin_chooses_the_size_refuse_another(choosing, change):
    model, spec = choosing
    with pytest.raises(InputError, match="models of tiles choose their size themselves; leave out --size"):
        generate_assets(model, spec, request_of((1,), settings={"rows": 2}, **change))


def test_a_size_that_fails_is_reported(choosing):
    model, spec = choosing
    with pytest.raises(GanassetsError, match=r"'tiles' of .*: map_size must .* but it raised ZeroDivisionError"):
        list(generate_assets(model, replace(spec, map_size=lambda *_: 1 / 0), request_of((1,))))
