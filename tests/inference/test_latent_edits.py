"""Morphs, mixes and variations: recipes whose assets are where they should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.api.latents import latent, normal_noise_map
from ganassets.api.manifest import Manifest
from ganassets.api.registry import load_generator
from ganassets.inference.latent_edits import (
    check_pair,
    describe_recipe,
    interpolate_latents,
    layered_w,
    layers_text,
    mix_styles,
    morph,
    pack_offset,
    parse_layers,
    row_between,
    vary,
)
from ganassets.inference.model import open_model
from ganassets.inference.pipeline import check_recipe, latent_of, make_assets, recipe_offset
from ganassets.inference.recipe import pack_floats, parse_recipe
from ganassets.inference.resolve import seed_recipe
from support.processor_time import processor_time
from support.requests import request_of
from support.size_free import STRIDE
from support.squares import MANIFEST

VECTORS = st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=9).filter(lambda v: np.linalg.norm(v) > 0.1)


@pytest.fixture
def model(squares, make_model):
    """Two layers: positions are linear in what the first reads, colours follow from the second alone."""
    return open_model(make_model(), threads=1)


@pytest.fixture
def spec(model):
    return load_generator("squares")


def seed(model, spec, number, **changes):
    """A seed's recipe."""
    return seed_recipe(model, spec, request_of(**{"truncation": 0.8, **changes}), number)


def made(model, spec, recipe) -> Any:
    """The asset of a recipe, after a way through JSON."""
    again = parse_recipe(recipe.to_json(), "it")
    check_recipe(model, spec, again)
    return make_assets(model, spec, [again])[0]


def shape(model, spec, recipe):
    return made(model, spec, recipe).positions


def colours(model, spec, recipe):
    return made(model, spec, recipe).materials[0].albedo.astype(int)


@given(VECTORS, st.integers(0, 9), st.floats(0, 1))
def test_slerp_reaches_its_ends_for_any_angle(values, number, share):
    a = np.array(values, np.float32)
    b = np.random.default_rng(number).normal(size=len(a)).astype(np.float32)
    for start, end in ((a, b), (a, a), (a, 2 * a), (a, -a)):
        np.testing.assert_array_equal(interpolate_latents(start, end, 0.0), start)
        np.testing.assert_array_equal(interpolate_latents(start, end, 1.0), end)
        between = interpolate_latents(start, end, share)
        assert between.dtype == np.float32 and np.isfinite(between).all()
        np.testing.assert_allclose(between, interpolate_latents(end, start, 1 - share), rtol=1e-3, atol=1e-3)


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_slerp_keeps_the_length_and_turns_evenly(number, share):
    a, b = np.random.default_rng(number).normal(size=(2, 16))
    a, b = (v / np.linalg.norm(v) for v in (a, b))
    between = interpolate_latents(a.astype(np.float32), b.astype(np.float32), share)
    assert np.linalg.norm(between) == pytest.approx(1, abs=1e-5)
    assert np.arccos(np.clip(between @ a, -1, 1)) == pytest.approx(share * np.arccos(a @ b), abs=1e-3)


def assert_same(a, b, atol=0.0):
    """Two texture sets have the same maps."""
    for name in ("albedo", "height"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=atol)


def test_a_morph_goes_from_one_seed_to_the_other(tiling):
    model, spec = tiling
    a, b = (seed(model, spec, number, size=(16, 24), truncation=1.0) for number in (7, 12))
    steps = [made(model, spec, recipe) for recipe in morph(model, a, b, 5)]
    assert [asset.provenance.morph for asset in steps] == [(12, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    ends = [made(model, spec, recipe) for recipe in (a, b)]
    assert_same(steps[0], ends[0])
    assert_same(steps[-1], ends[1])
    sliders = np.array([list(asset.provenance.sliders.values()) for asset in (ends[0], steps[2], ends[1])])
    np.testing.assert_allclose(sliders[1], (sliders[0] + sliders[2]) / 2, atol=1e-5)
    # Each step moves away from the first and towards the last.
    from_first, to_last = ([np.abs(m.height - end.height).mean() for m in steps] for end in ends)
    assert from_first == sorted(from_first) and to_last == sorted(to_last, reverse=True)


def test_between_the_seeds_of_a_morph_it_tiles(tiling):
    """Wrapping noise, rolled, gives rolled maps: no place is special, the border neither."""
    model, spec = tiling

    def noise(number, row, size, roll=0):
        return np.roll(normal_noise_map(number, 3, size), (roll, roll), (1, 2))

    a, b = (seed(model, spec, number, size=(16, 24)) for number in (7, 12))
    half = morph(model, a, b, 3)[1]
    plain = made(model, replace(spec, noise=noise), half)
    rolled = made(model, replace(spec, noise=lambda n, row, size: noise(n, row, size, 2 * STRIDE)), half)
    assert plain.tiles
    for name in ("albedo", "height"):
        expected = np.roll(getattr(plain, name), (2 * STRIDE, 2 * STRIDE), (0, 1))
        np.testing.assert_allclose(getattr(rolled, name), expected, atol=1e-5)


def test_steps_of_a_morph_have_the_size_of_their_conditions(choosing):
    model, spec = choosing
    recipes = [seed(model, spec, number, settings={"rows": 2}) for number in range(60)]
    last = next(recipe for recipe in recipes if int(recipe.condition["age"]) != int(recipes[0].condition["age"]))
    steps = morph(model, recipes[0], last, 5)
    for recipe in steps:
        asset = made(model, spec, recipe)
        assert asset.height.shape == (2 * STRIDE, STRIDE * (1 + int(recipe.condition["age"])))
    for step, end in ((steps[0], recipes[0]), (steps[-1], last)):
        assert_same(made(model, spec, step), made(model, spec, end), atol=1e-6)


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_morph_of_a_model_with_a_size_of_its_own(model, spec, space):
    a, b = seed(model, spec, 3), seed(model, spec, 9)
    steps = morph(model, a, b, 3, space)
    assert [recipe.name for recipe in steps] == [f"squares-00000003-00000009-{i:03d}" for i in range(3)]
    ends = [shape(model, spec, recipe) for recipe in (a, b)]
    np.testing.assert_allclose(shape(model, spec, steps[0]), ends[0], atol=1e-5)
    np.testing.assert_allclose(shape(model, spec, steps[2]), ends[1], atol=1e-5)
    assert abs(shape(model, spec, steps[1]) - ends[0]).max() > 0.1
    assert steps[1].note == f"morph of 3 and 9 in {space}, 0.5 of the way"


def test_a_morph_in_w_is_straight_in_all_that_layers_read(model, spec):
    """Morph from a mix, which has its own offset, with another truncation and other sliders."""
    a = mix_styles(model, seed(model, spec, 3), seed(model, spec, 5), [1])
    b = seed(model, spec, 9, truncation=0.3, conditions={"age": 90.0})
    ends = layered_w(model, a), layered_w(model, b)
    for i, recipe in enumerate(morph(model, a, b, 5, "w")):
        expected = ends[0] + np.float32(i / 4) * (ends[1] - ends[0])
        np.testing.assert_allclose(layered_w(model, recipe), expected, atol=1e-5)
        np.testing.assert_allclose(
            shape(model, spec, recipe),
            shape(model, spec, a) + i / 4 * (shape(model, spec, b) - shape(model, spec, a)),
            atol=1e-4,
        )
        assert recipe.truncation == pytest.approx(0.8 + i / 4 * (0.3 - 0.8))


def test_a_morph_in_z_of_recipes_with_offsets(model, spec):
    a = mix_styles(model, seed(model, spec, 3), seed(model, spec, 5), [1])
    b = vary(model.manifest, seed(model, spec, 9), 0.5, 1)[0]
    steps = morph(model, a, b, 3)
    np.testing.assert_allclose(colours(model, spec, steps[0]), colours(model, spec, a), atol=1)
    np.testing.assert_allclose(shape(model, spec, steps[2]), shape(model, spec, b), atol=1e-5)
    np.testing.assert_allclose(recipe_offset(model.manifest, steps[1]), recipe_offset(model.manifest, a) / 2, atol=1e-6)


def test_a_morph_of_one_seed_has_one_noise_map(tiling):
    model, spec = tiling
    a = seed(model, spec, 7, size=(8, 8))
    assert [recipe.morph for recipe in morph(model, a, vary(model.manifest, a, 0.5, 1)[0], 2)] == [None, None]


def test_switches_go_over_in_the_middle_and_choices_by_their_shares():
    conditions = [*MANIFEST["conditions"], {"name": "wet", "switch": True}]
    manifest = Manifest.model_validate({**MANIFEST, "conditions": conditions, "condition_rows": [[0.0] * 4]})
    first, last = np.array([10, 1, 0, 0], np.float32), np.array([20, 0, 1, 1], np.float32)
    for share, row in ((0, first), (0.25, [12.5, 0.75, 0.25, 0]), (0.75, [17.5, 0.25, 0.75, 1]), (1, last)):
        np.testing.assert_allclose(row_between(manifest, first, last, share), row)


def test_morphs_that_can_not_be_made(model, spec):
    a, b = seed(model, spec, 3), seed(model, spec, 9)
    for steps in (0, 1, 10_001):
        with pytest.raises(InputError, match=r"a morph has 2 to 10,000 steps, not"):
            morph(model, a, b, steps)
    with pytest.raises(InputError, match="can't start or end in the middle of another one"):
        morph(model, morph(model, a, b, 3)[1], b, 2)
    other = b.changed(model="f" * 64)
    for pair in (
        lambda: morph(model, a, other, 2),
        lambda: mix_styles(model, a, other, [0]),
        lambda: check_pair(a, other),
    ):
        with pytest.raises(InputError, match="were made with two models; both must be of the same"):
            pair()


def test_a_mix_takes_exactly_the_layers(model, spec):
    a, b = seed(model, spec, 3), seed(model, spec, 9)
    for layers, (first, second) in (([1], (a, b)), ([0], (b, a)), ([0, 1], (b, b))):
        recipe = mix_styles(model, a, b, layers)
        np.testing.assert_allclose(shape(model, spec, recipe), shape(model, spec, first), atol=1e-5)
        np.testing.assert_allclose(colours(model, spec, recipe), colours(model, spec, second), atol=1)
        assert (recipe.seed, recipe.condition, recipe.truncation) == (3, a.condition, a.truncation)
    assert mix_styles(model, a, b, {1}).name == "squares-00000003-mix-00000009"
    assert mix_styles(model, a, b, {1}).note == "mix of 3 with layers 1- of 9"
    assert abs(colours(model, spec, a) - colours(model, spec, b)).max() > 20, "the two are unlike"


def test_a_mix_of_a_mix_keeps_the_layers_it_had(model, spec):
    a, b, c = (seed(model, spec, number, truncation=t) for number, t in ((3, 0.8), (9, 0.4), (11, 1.0)))
    nested = mix_styles(model, mix_styles(model, a, b, [1]), c, [0])
    np.testing.assert_allclose(shape(model, spec, nested), shape(model, spec, c), atol=1e-5)
    np.testing.assert_allclose(colours(model, spec, nested), colours(model, spec, b), atol=1)
    back = mix_styles(model, nested, a, [0, 1])
    np.testing.assert_allclose(layered_w(model, back), layered_w(model, a), atol=1e-5)
    assert nested.note == "mix of squares-00000003-mix-00000009 with layers 0 of 11"


def test_offsets_are_kept_once_where_all_layers_have_the_same(model):
    manifest = model.manifest
    zero, same, own = (
        np.zeros((2, 3), np.float32),
        np.tile(np.array([1, 2, 3], np.float32), (2, 1)),
        np.eye(2, 3, dtype="f"),
    )
    assert pack_offset(zero) is None
    assert pack_offset(same) == pack_floats(same[0])
    assert pack_offset(own) == pack_floats(own)
    recipe = seed(model, load_generator("squares"), 1)
    for offset in (zero, same, own):
        np.testing.assert_array_equal(recipe_offset(manifest, recipe.changed(w_offset=pack_offset(offset))), offset)


@pytest.mark.parametrize(
    ("text", "layers"),
    [("3-", [3, 4]), ("-2", [0, 1, 2]), ("1-3", [1, 2, 3]), ("0,4", [0, 4]), (" 4 , 0-1,1", [0, 1, 4]), ("2", [2])],
)
def test_layers(text, layers):
    assert parse_layers(text, 5) == layers


@pytest.mark.parametrize("text", ["", "-", "a", "1--2", "1-2-3", "1,", "--1", "٣", "1.5", "9" * 5000, "0 1"])
def test_layers_that_make_no_sense(text):
    with pytest.raises(InputError, match="can't be read; write 3-, -2, 1-3 or 0,4") as caught:
        parse_layers(text, 5)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("text", ["5", "3-5", "5-", "3-1", "0,7"])
def test_layers_that_are_not_there(text):
    with pytest.raises(InputError, match=r"there are no layers .*; this model has 0 to 4"):
        parse_layers(text, 5)


@given(st.sets(st.integers(0, 11), min_size=1))
def test_layers_in_words_are_read_again(layers):
    assert parse_layers(layers_text(sorted(layers), 12), 12) == sorted(layers)


@pytest.mark.parametrize("strength", [0.01, 0.2, 0.5, 1.0])
def test_variations_are_turned_by_their_strength(model, spec, strength):
    base = seed(model, spec, 7)
    z = latent(7, 5)
    for recipe in vary(model.manifest, base, strength, 6):
        turned = latent_of(model.manifest, recipe)
        assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(z), rel=1e-5)
        angle = np.arccos(np.clip(turned @ z / (z @ z), -1, 1))
        assert angle == pytest.approx(strength * np.pi / 2, abs=2e-3)
        assert (recipe.seed, recipe.w_offset) == (7, None)


def test_sliders_of_variations_lean_to_likely_ones_but_for_those_that_are_kept(model, spec):
    base = seed(model, spec, 7)
    tints = [value for name, value in base.condition.items() if name.startswith("tint")]
    likely = {round(float(row[0]), 3) for row in model.manifest.rows}  # rows with mixed tints occur at any age
    age = base.condition["age"]
    assert likely - {age}
    ages = set()
    for recipe in vary(model.manifest, base, 0.25, 12):
        assert [value for name, value in recipe.condition.items() if name.startswith("tint")] == tints
        assert round(age + (recipe.condition["age"] - age) / 0.25, 3) in likely
        ages.add(recipe.condition["age"])
    assert len(ages) > 1
    assert all(recipe.condition == base.condition for recipe in vary(model.manifest, base, 0.25, 12, ["age"]))


def test_variations_are_the_same_again_and_unlike_each_other(model, spec):
    base = seed(model, spec, 7)
    recipes = vary(model.manifest, base, 0.3, 5)
    assert vary(model.manifest, base, 0.3, 5) == recipes
    assert vary(model.manifest, base, 0.3, 2) == recipes[:2]
    assert len({recipe.z for recipe in recipes}) == 5
    assert [recipe.name for recipe in recipes] == [f"squares-00000007-v{i:03d}" for i in range(1, 6)]
    assert recipes[1].note == "variation 2 of 7, strength 0.3"
    assert vary(model.manifest, seed(model, spec, 8), 0.3, 1)[0].z != recipes[0].z


def test_variations_of_a_variation_lead_to_new_places(tiling):
    """Step by step any look may be reached: the directions are others each time."""
    model, spec = tiling
    base = seed(model, spec, 7, size=(8, 8))
    found = [latent_of(model.manifest, base)]
    for _ in range(model.manifest.z_dim - 1):
        base = vary(model.manifest, base, 0.5, 1)[0]
        found.append(latent_of(model.manifest, base))
    assert np.linalg.matrix_rank(np.array(found), tol=1e-2) == model.manifest.z_dim


def test_a_variation_of_a_mix_keeps_its_offset(model, spec):
    mixed = mix_styles(model, seed(model, spec, 3), seed(model, spec, 9), [1])
    recipe = vary(model.manifest, mixed, 0.2, 1)[0]
    assert recipe.w_offset == mixed.w_offset and recipe.note == f"variation 1 of {mixed.name}, strength 0.2"


@pytest.mark.parametrize("strength", [0.0, -0.1, 1.01, float("nan")])
def test_strengths_that_are_none(model, spec, strength):
    with pytest.raises(InputError, match="must be above 0 and at most 1"):
        vary(model.manifest, seed(model, spec, 7), strength, 1)


def test_many_variations_take_no_longer_each(model, spec):
    few, many = (
        processor_time(lambda count=count: vary(model.manifest, seed(model, spec, 7), 0.2, count))
        for count in (300, 3000)
    )
    assert many < 30 * few, "not the square of their number"


def test_names_in_words(model, spec):
    plain = seed(model, spec, 7)
    assert describe_recipe(plain) == "7"
    assert describe_recipe(vary(model.manifest, plain, 0.2, 1)[0]) == "squares-00000007-v001"


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.floats(0, 1))
@settings(max_examples=20)
def test_the_way_between_two_latents_stays_among_likely_ones(first, last, share):
    a, b = latent(first, 64), latent(last, 64)
    low, high = sorted([float(np.linalg.norm(a)), float(np.linalg.norm(b))])
    assert low * 0.9 <= np.linalg.norm(interpolate_latents(a, b, share)) <= high * 1.1
