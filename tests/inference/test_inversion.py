"""Inversion: assets of the model itself are found; time, conditions, settings and size are kept."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from ganassets.api.errors import InputError
from ganassets.api.registry import load_generator
from ganassets.api.spec import Target
from ganassets.inference.inversion import BATCH_SIZE, MAX_DEVIATION, invert
from ganassets.inference.latent_edits import layered_w
from ganassets.inference.model import open_model
from ganassets.inference.pipeline import check_recipe, make_assets
from ganassets.inference.recipe import unpack_floats
from ganassets.inference.resolve import seed_recipe
from support.requests import request_of, resolved_of
from support.size_free import STRIDE

LONG = 60.0  # seconds, never needed


@pytest.fixture
def model(squares, make_model):
    """Positions are linear in what the first layer reads, which is linear in latent and sliders."""
    return open_model(make_model(), threads=1)


@pytest.fixture
def spec(model):
    return load_generator("squares")


def places(meshes):
    """Return (n, 12) positions in centimetres."""
    return np.stack([100 * mesh.positions.ravel() for mesh in meshes])


def target_of(model, spec, recipe, **changes):
    """The asset of a recipe as a target."""
    return replace(Target(places, places(make_assets(model, spec, [recipe]))[0], "cm"), **changes)


def away(model, spec, found, target):
    """Return the root mean square distance of a recipe's asset from a target."""
    made = target.features(make_assets(model, spec, [found]))[0]
    return np.sqrt(((made - target.reference) ** 2).mean())


@pytest.mark.parametrize("number", [777, 12345, 2**40])
def test_a_seed_that_was_not_tried_is_found_again(model, spec, number):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), number))
    found = invert(model, spec, target, resolved_of(model, spec, ()), 32, LONG)
    assert found.distance < 0.5 < 5 < found.nearest, "a few centimetres, in a clip of some metres"
    assert found.explained > 0.999
    assert found.distance == pytest.approx(away(model, spec, found.recipe, target), rel=1e-3)
    check_recipe(model, spec, found.recipe)
    assert found.recipe.truncation == 1.0 and found.recipe.seed in range(1, 33)
    assert 0 <= found.recipe.condition["age"] <= 100
    assert max(abs(unpack_floats(found.recipe.z or ""))) <= MAX_DEVIATION


def test_it_is_found_again_in_the_same_way(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), 777))
    first, second = (invert(model, spec, target, resolved_of(model, spec, ()), 16, LONG) for _ in range(2))
    assert first.recipe == second.recipe


def test_a_seed_that_was_tried_is_met_at_once(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), 5))
    found = invert(model, spec, target, resolved_of(model, spec, ()), 8, LONG)
    assert found.nearest == pytest.approx(0, abs=1e-3) and found.recipe.seed == 5


def test_layers_move_only_where_places_are_compared(model, spec):
    """Search for a shape that no latent gives: an offset in the first layer, far beyond the data."""
    source = seed_recipe(model, spec, request_of((), 1.0), 3)
    far = target_of(model, spec, source)
    far = replace(far, reference=far.reference * 6)
    exact, look = (
        invert(model, spec, replace(far, exact=exact), resolved_of(model, spec, ()), 16, LONG)
        for exact in (True, False)
    )
    assert look.recipe.w_offset is None and exact.recipe.w_offset is not None
    assert exact.distance < look.distance
    assert layered_w(model, exact.recipe).shape == (2, 3)


def test_the_explained_share_is_zero_for_an_unreachable_target(model, spec):
    """Compare features that the model can't change."""
    target = Target(lambda meshes: np.zeros((len(meshes), 4)), np.ones(4), "")
    found = invert(model, spec, target, resolved_of(model, spec, ()), 4, LONG)
    assert (found.distance, found.nearest, found.explained) == (1.0, 1.0, 0.0)


def test_chosen_conditions_are_kept(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0, {"age": 80.0}), 9))
    target = replace(target, conditions={"tint": {"green": 1.0}, "age": 10.0})
    found = invert(model, spec, target, resolved_of(model, spec, (), conditions={"age": 33.0}), 16, LONG)
    assert found.recipe.condition == {"age": 33.0, "tint:red": 0.0, "tint:green": 1.0}, "the user's before the file's"


def test_seeds_end_when_the_time_does(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), 777))
    counted = []

    def slow(meshes):
        counted.append(len(meshes))
        time.sleep(0.05)
        return places(meshes)

    found = invert(model, spec, replace(target, features=slow), resolved_of(model, spec, ()), 100_000, 0.3)
    assert max(counted) <= BATCH_SIZE and sum(counted) < 1000
    assert found.distance <= found.nearest


def test_without_any_time_some_seeds_are_tried(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), 777))
    found = invert(model, spec, target, resolved_of(model, spec, ()), 4, 0.0)
    assert found.recipe.seed in range(1, 5) and found.distance == pytest.approx(found.nearest, rel=1e-3)


def test_progress_is_reported_and_never_decreases(model, spec):
    target = target_of(model, spec, seed_recipe(model, spec, request_of((), 1.0), 777))
    heard = []
    invert(
        model,
        spec,
        target,
        resolved_of(model, spec, ()),
        40,
        LONG,
        lambda stage, distance: heard.append((stage, distance)),
    )
    assert list(dict.fromkeys(stage for stage, _ in heard)) == ["seeds", "latent and sliders", "layers"]
    distances = [distance for _, distance in heard]
    assert distances == sorted(distances, reverse=True)


def test_another_kind_of_target_is_reported(model, spec):
    with pytest.raises(InputError, match="it shows another kind of thing"):
        invert(model, spec, Target(places, np.zeros(5), "cm"), resolved_of(model, spec, ()), 4, LONG)


def heights(sets):
    """Return (n, 4) features of maps that have the same size."""
    assert {asset.height.shape for asset in sets} == {(2 * STRIDE, 3 * STRIDE)}
    return np.array([[a.height.mean(), a.height.std(), *a.albedo.mean((0, 1))[:2]] for a in sets])


@pytest.mark.parametrize("size", [None, (8, 16)])
def test_a_size_is_for_the_comparison_alone(tiling, size):
    model, spec = tiling
    target = Target(heights, np.zeros(4), "", size=(2 * STRIDE, 3 * STRIDE), exact=False)
    request = resolved_of(model, spec, (), size=size)
    found = invert(model, spec, target, request, 4, LONG)
    assert found.recipe.size == request.seed_recipe(1).size
    check_recipe(model, spec, found.recipe)


@pytest.mark.parametrize(("changes", "kept"), [({"settings": {"rows": 3}}, 3), ({"draft": {"rows": 3}}, 1)])
def test_settings_of_the_file_are_kept_and_drafts_are_not(choosing, changes, kept):
    model, spec = choosing
    rows = set()

    def features(sets):
        rows.update(asset.height.shape[0] for asset in sets)
        return np.array([[asset.height.mean(), asset.height.std()] for asset in sets])

    target = Target(features, np.zeros(2), "", exact=False, **changes)
    found = invert(model, spec, target, resolved_of(model, spec, (), settings={"rows": 1}), 4, LONG)
    assert rows == {3 * STRIDE}
    assert found.recipe.settings == {"rows": kept}
