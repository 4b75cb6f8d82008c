"""Plans: the assets of a batch, their names and their identifiers."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.errors import InputError
from ganassets.inference.batch import plan as module
from ganassets.inference.batch.plan import Plan, ResolvedRequest, draw_condition
from ganassets.inference.latent_edits import vary
from ganassets.inference.pipeline import check_recipe, recipe_offset
from ganassets.inference.recipe import parse_recipe

from .conftest import OPTIONS

OFFSET = np.arange(6, dtype=np.float32).reshape(2, 3)


def names(job: ResolvedRequest) -> list[str]:
    return [job.unit(i).name for i in range(len(job))]


def test_a_seed_is_a_unit(make_job):
    job = make_job((7, 3))
    assert len(job) == 2 and names(job) == ["squares-00000007", "squares-00000003"]
    assert [job.unit(i).seed for i in range(2)] == [7, 3]
    assert job.unit(0).conditions == {}


def test_a_grid_makes_each_seed_with_each_look(make_job):
    job = make_job(
        (7, 3), grid={"age": [20.0, 50.0], "tint": [{"red": 1.0}, {"green": 1.0}, {"red": 1.0, "green": 3.0}]}
    )
    assert len(job) == 12
    assert names(job)[:7] == [*[f"squares-00000007-{i:03d}" for i in range(1, 7)], "squares-00000003-001"]
    assert [job.unit(i).seed for i in (5, 6)] == [7, 3]
    looks = [(job.unit(i).conditions["age"], job.unit(i).conditions["tint"]) for i in range(6)]
    assert looks[0] == (20.0, {"red": 1.0}) and looks[-1] == (50.0, {"red": 1.0, "green": 3.0})
    assert len({str(look) for look in looks}) == 6


def test_names_describe_edits(make_job):
    job = make_job(
        (7, 3), name="{tint}-{age}-{seed:03d}-{place}-{number}-{job}-{generator}", title="all",
        grid={"tint": [{"red": 1.0}, {"red": 1.0, "green": 2.0}]}, drawn={"age": (20.0, 20.0)},
    )  # fmt: skip
    assert names(job) == [
        "red-20-007-1-1-all-squares", "red+green-20-007-2-2-all-squares",
        "red-20-003-1-3-all-squares", "red+green-20-003-2-4-all-squares",
    ]  # fmt: skip


def test_what_the_seed_draws_is_even_and_its_own(make_job):
    job = make_job(range(2000), drawn={"age": (20.0, 60.0), "tint": ["red", "green"]})
    conditions = [job.unit(i).conditions for i in range(2000)]
    ages = np.array([wish["age"] for wish in conditions])
    assert ages.min() >= 20 and ages.max() <= 60
    counts, _ = np.histogram(ages, 8, (20, 60))
    assert counts.min() > 190 and counts.max() < 310, "250 each are expected"
    reds = np.array([wish["tint"] == {"red": 1.0} for wish in conditions])
    assert 0.45 < reds.mean() < 0.55
    assert abs(np.corrcoef(ages, reds)[0, 1]) < 0.08, "the two are independent"
    alone = make_job((1234,), drawn={"age": (20.0, 60.0)})
    assert alone.unit(0).conditions["age"] == conditions[1234]["age"]


@given(st.integers(0, 2**63 - 1), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_draws_keep_to_their_range(seed, low, width):
    drawn = draw_condition(seed, "age", (low, low + width))
    assert isinstance(drawn, float) and low - 1e-6 <= drawn <= low + width + 1e-6
    assert draw_condition(seed, "age", ["a"]) == {"a": 1.0}


def test_draws_of_a_seed_stay_as_they_are():
    """Numbers that batches were made with; another version must draw the same."""
    assert [draw_condition(seed, "wear", (0.2, 0.8)) for seed in (1, 2, 3)] == [0.377241, 0.309546, 0.342268]
    chosen = [draw_condition(seed, "kind", ["a", "b", "c"]) for seed in range(1, 9)]
    assert chosen == [{letter: 1.0} for letter in "acaaaaca"]


def test_the_recipe_of_a_unit_makes_its_file(make_job, spec, file):
    job = make_job((7,), request={"truncation": 0.3}, grid={"age": [90.0]}, offset=OFFSET)
    recipe = job.recipe(job.unit(0))
    check_recipe(file, spec, recipe)
    assert (recipe.name, recipe.seed, recipe.truncation, recipe.condition["age"]) == ("squares-00000007", 7, 0.3, 90)
    assert recipe.file and (recipe.file.to, recipe.file.options) == ("raw", OPTIONS)
    np.testing.assert_array_equal(recipe_offset(file.manifest, recipe), OFFSET)
    assert parse_recipe(recipe.to_json(), "it") == recipe


def test_recipes_stand_in_place_of_seeds(make_job, spec, file):
    base = make_job().seed_recipe(7)
    recipes = vary(file.manifest, base, 0.3, 3)
    job = make_job((), recipes=recipes)
    assert names(job) == [recipe.name for recipe in recipes]
    made = job.recipe(job.unit(1))
    assert made.changed(file=None) == recipes[1] and made.file
    named = make_job((), recipes=recipes, name="{generator}-{seed}-{number}")
    assert names(named) == ["squares-7-1", "squares-7-2", "squares-7-3"]
    assert named.recipe(named.unit(2)).name == "squares-7-3"
    assert named.key(named.unit(0)) != job.key(job.unit(0))


KEYED = {
    "seed": lambda make: make((8,)),
    "truncation": lambda make: make((7,), {"truncation": 0.5}),
    "wish": lambda make: make((7,), {"conditions": {"age": 30.0}}),
    "another wish": lambda make: make((7,), {"conditions": {"age": 31.0}}),
    "share": lambda make: make((7,), {"conditions": {"tint": {"red": 0.5, "green": 0.5}}}),
    "another share": lambda make: make((7,), {"conditions": {"tint": {"red": 0.4, "green": 0.6}}}),
    "option": lambda make: make((7,), options={**OPTIONS, "copies": 2}),
    "folder": lambda make: make((7,), folder="a"),
    "name": lambda make: make((7,), name="x"),
    "offset": lambda make: make((7,), offset=OFFSET),
    "another offset": lambda make: make((7,), offset=OFFSET + 1),
}


def test_keys_change_with_every_field(make_job):
    keys = {name: (job := make(make_job)).key(job.unit(0)) for name, make in KEYED.items()}
    keys["plain"] = make_job((7,)).key(make_job((7,)).unit(0))
    assert len(set(keys.values())) == len(keys), keys
    # What check() would refuse of this model, and what only another machine or version has.
    plain = make_job((7,))
    request = plain.request
    changed = [
        replace(plain, exporter="other"),
        *(
            replace(plain, request=request.model_copy(update=c))
            for c in ({"size": (8, 8)}, {"crop": True}, {"window": 64})
        ),
        replace(plain, settings={"seconds": 2.0}),
        replace(plain, file=replace(plain.file, digest="f" * 64)),
    ]
    assert len({job.key(plain.unit(0)) for job in [plain, *changed]}) == 7


def test_keys_change_with_the_versions(make_job, monkeypatch, spec):
    keys = [make_job((7,)).key(make_job((7,)).unit(0))]
    monkeypatch.setattr(module, "__version__", "99")
    keys.append(make_job((7,)).key(make_job((7,)).unit(0)))
    monkeypatch.setattr(module, "load_generator", lambda name: replace(spec, version="99"))
    keys.append(make_job((7,)).key(make_job((7,)).unit(0)))
    assert len(set(keys)) == 3


def test_keys_are_the_same_however_a_look_was_asked_for(make_job):
    """A seed has one key: among others or alone, fixed or in a grid of one."""
    many, one = make_job(range(20)), make_job((7,))
    assert many.key(many.unit(7)) == one.key(one.unit(0))
    fixed = make_job((7,), {"conditions": {"age": 30.0}})
    grid = make_job((7,), grid={"age": [30.0]})
    assert fixed.key(fixed.unit(0)) == grid.key(grid.unit(0))
    assert make_job((7,), title="x").key(one.unit(0)) == one.key(one.unit(0)), "the title is no part of an asset"


def test_another_process_has_the_same_job(make_job, spec):
    job = make_job((7, 3), grid={"age": [20.0, 30.0]}, drawn={"tint": ["red"]}, offset=OFFSET)
    _ = job.combinations, job.unit(0)  # what is kept to save time can't travel
    again = pickle.loads(pickle.dumps(Plan([job]))).jobs[0]
    for i in range(len(job)):
        assert again.unit(i) == job.unit(i)
        assert again.key(again.unit(i)) == job.key(job.unit(i))
        assert again.recipe(again.unit(i)) == job.recipe(job.unit(i))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"folder": "../x"}, "can't be the name of a file"),
        ({"title": "../x"}, "can't be the name of a file"),
        ({"title": "x" * 151}, "longer than 150 bytes"),
        ({"name": "{age}"}, "there is no {age} for a name"),
        ({"name": "{seed}/x"}, "can't be the name of a file"),
        ({"grid": {"nose": [1.0]}}, "there is no slider 'nose'"),
        ({"grid": {"age": [1.0, 101.0]}}, "age 101 is outside 0..100 years"),
        ({"drawn": {"age": (0.0, 101.0)}}, "age 101 is outside 0..100 years"),
        ({"drawn": {"age": (-1.0, 100.0)}}, "age -1 is outside"),
        ({"drawn": {"tint": ["red", "blue"]}}, "tint has no 'blue'"),
        ({"grid": {"age": [float(i) for i in range(101)], "tint": [{"red": 1.0}] * 100}}, "a grid of 10,100 looks"),
        ({"options": {"style": "x" * 201}}, "a setting of raw is too long to be kept in its files"),
        ({"settings": {"a": "x" * 201}}, "holds no whole recipe (settings.a"),
    ],
)  # fmt: skip
def test_jobs_that_can_not_be_made(make_job, fields, message):
    with pytest.raises(InputError) as caught:
        make_job(**fields)
    assert message in str(caught.value)


def test_a_grid_that_would_fill_the_memory_is_refused_before_it_is_made(make_job):
    with pytest.raises(InputError, match="a grid of 1,000,000,000 looks is too large"):
        make_job(grid={name: [1.0] * 1000 for name in ("age", "b", "c")})


def test_recipes_that_do_not_fit(make_job, spec, file):
    recipe = make_job().seed_recipe(7)
    for change, message in (
        ({"model": "f" * 64}, "was made with another model"),
        ({"name": "../x"}, "can't be the name of a file"),
        ({"z": "AAAAAA=="}, "has a latent of another length"),
        ({"w_offset": "AAAAAA=="}, "has an offset of another length"),
        ({"condition": {"age": 3.0}}, "has other sliders"),
        ({"settings": {"a": 1}}, "has other settings"),
        ({"size": (8, 8)}, "make one size only"),
    ):
        with pytest.raises(InputError, match=message):
            make_job((), recipes=[recipe.changed(**change)])


def test_a_plan_numbers_units_through(make_job):
    jobs = [make_job((5, 6), folder="a"), make_job((5,), folder="b", title="b"), make_job((1, 2), title="c")]
    plan = Plan(jobs)
    assert len(plan) == 5 and [plan.job_at(i) for i in range(5)] == [0, 0, 1, 2, 2]
    units = list(plan)
    assert [(job.folder, unit.seed) for job, unit in units] == [("a", 5), ("a", 6), ("b", 5), ("", 1), ("", 2)]
    assert [job.path(unit) for job, unit in units][1:4] == [
        "a/squares-00000006",
        "b/squares-00000005",
        "squares-00000001",
    ]
    plan.check_names()


def test_a_plan_has_an_end(make_job, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNITS", 5)
    Plan([make_job(), make_job((4, 5))])
    with pytest.raises(InputError, match="6 assets are more than 5; ask for fewer at a time"):
        Plan([make_job(), make_job()])


def test_names_must_differ_within_a_folder(make_job):
    Plan([make_job(folder="a", title="1"), make_job(folder="b", title="2")]).check_names()
    for twice in (
        [make_job(title="1"), make_job(title="2")],
        [make_job(name="x{seed}", title="1"), make_job(name="X{seed}", title="2")],
        [make_job(name="x")],
        [make_job((1, 1))],
        [make_job(folder="a", title="1"), make_job(folder="A", title="2")],
    ):
        with pytest.raises(InputError, match="two assets would have the name"):
            Plan(twice).check_names()


def test_titles_must_differ(make_job):
    with pytest.raises(InputError, match="two jobs have the title 'X'"):
        Plan([make_job(folder="a", title="x"), make_job(folder="b", title="X")]).check_names()


def test_jobs_are_not_changed_by_being_asked(make_job):
    conditions = {"tint": {"red": 1.0}}
    before = copy.deepcopy(conditions)
    job = make_job((7,), {"conditions": conditions}, grid={"age": [1.0, 2.0]})
    first = job.unit(0)
    job.unit(1)
    assert job.unit(0) == first and conditions == before
