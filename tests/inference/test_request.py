"""The request: what it accepts, what it refuses in one sentence, and the recipe that comes of it."""

from __future__ import annotations

import pickle

import pytest

from ganassets.api.errors import InputError
from ganassets.api.registry import load_generator
from ganassets.inference.model import inspect_model
from ganassets.inference.recipe import Recipe, SharedOptions
from ganassets.inference.request import ConditionChoices, ConditionRange, GenerationRequest
from ganassets.inference.resolve import override_recipe, resolve_request, resolve_with_model, seed_recipe
from support.requests import request_of


def request(**fields) -> GenerationRequest:
    return GenerationRequest(model="squares", **fields)


@pytest.mark.parametrize(
    ("fields", "seeds"),
    [
        ({}, [1]),
        ({"seeds": "1-3,7"}, [1, 2, 3, 7]),
        ({"seeds": 9}, [9]),
        ({"seeds": [4, 2]}, [4, 2]),
        ({"seeds": range(3)}, [0, 1, 2]),
        ({"seeds": ()}, []),
        ({"count": 3}, [1, 2, 3]),
        ({"count": 2, "seed": 0}, [0, 1]),
        ({"recipes": ["a.recipe.json"]}, []),
    ],
)
def test_seeds_in_every_form(fields, seeds):
    assert list(request(**fields).chosen_seeds()) == seeds


@pytest.mark.parametrize(
    ("size", "rows_and_columns"), [("1024x512", (512, 1024)), ("64", (64, 64)), (64, (64, 64)), ((8, 16), (8, 16))]
)
def test_sizes_in_every_form(size, rows_and_columns):
    assert request(size=size).size == rows_and_columns


def test_files_of_jobs_say_sliders():
    table = {"model": "squares", "sliders": {"age": {"from": 1, "to": 2}, "tint": {"any": ["red"]}}}
    conditions = GenerationRequest.model_validate(table).conditions
    assert conditions["age"] == ConditionRange.model_validate({"from": 1, "to": 2})
    assert conditions["tint"] == ConditionChoices(any=["red"])
    assert request(conditions={"tint": {"red": 3, "green": 1}}).conditions == {"tint": {"red": 3.0, "green": 1.0}}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"window": 0}, "window: Input should be greater than 0 (not '0')."),
        ({"truncation": 1.5}, "truncation: Input should be less than or equal to 1 (not '1.5')."),
        ({"color": "red"}, "color: Extra inputs are not permitted."),
        ({"size": "big"}, "the size must be WIDTHxHEIGHT"),
        ({"seeds": "x"}, "seeds 'x' can't be read"),
        ({"seeds": 10**5000}, "seeds must be whole numbers from 0"),
        ({"size": 10**5000}, "size: Input should be a valid tuple"),
        ({"seeds": True}, "seeds must be whole numbers from 0"),
        ({"seeds": [-1]}, "seeds.0: Input should be greater than or equal to 0"),
        ({"seeds": "1", "count": 2}, "seeds already says which assets; leave out count, or seeds."),
        ({"recipes": ["a"], "seed": 1}, "recipes replace seeds; leave out seed."),
        ({"seed": 2**63 - 1, "count": 2}, "seeds end at"),
        ({"conditions": {"age": []}}, "conditions.age: write a number, a choice, a list of values"),
        ({"conditions": {"age": {"from": 1}}}, "conditions.age: write a number"),
        ({"options": {"a": [1]}}, "options.a: Input should be a valid string"),
    ],
)
def test_mistakes_are_one_sentence(fields, text):
    with pytest.raises(InputError) as caught:
        request(**fields)
    assert text in str(caught.value) and "\n" not in str(caught.value)


def test_a_request_goes_to_another_process():
    asked = request(seeds="1-3", conditions={"age": {"from": 1, "to": 2}}, size="64x32", window=64)
    assert pickle.loads(pickle.dumps(asked)) == asked


def test_the_shared_options_stand_in_the_recipe_between_condition_and_settings():
    """Files carry recipes whose fields have this order."""
    names = list(Recipe.model_fields)
    start = names.index("condition") + 1
    shared = list(SharedOptions.model_fields)
    assert names[start : start + len(shared)] == shared
    assert names[start + len(shared)] == "settings"


def test_a_request_is_resolved_to_recipes(squares, make_model):
    path = make_model()
    asked = GenerationRequest(
        model=str(path), seeds="3-4", to="raw", options={"copies": 2}, conditions={"age": "30"}, truncation=0.5
    )
    job = resolve_request(asked)
    recipe = job.recipe(job.unit(1))
    assert (recipe.name, recipe.seed, recipe.truncation, recipe.condition["age"]) == ("squares-00000004", 4, 0.5, 30.0)
    assert recipe.file and recipe.file.to == "raw" and recipe.file.options["copies"] == 2
    spec = load_generator("squares")
    assert recipe.changed(file=None) == seed_recipe(inspect_model(path), spec, asked, 4)


def test_a_recipe_keeps_what_the_request_does_not_name(squares, make_model):
    file, spec = inspect_model(make_model()), load_generator("squares")
    old = seed_recipe(file, spec, request_of((), 0.3, {"age": 20.0}), 7)
    same = override_recipe(resolve_with_model(request(), file, spec), old)
    assert same == old
    older = override_recipe(resolve_with_model(request(conditions={"age": 60}, truncation=0.85), file, spec), old)
    assert older == old.changed(condition={**old.condition, "age": 60.0}, truncation=0.85)
