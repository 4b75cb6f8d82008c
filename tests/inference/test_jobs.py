"""Files of jobs: every field does what it says, and one sentence for what makes no sense."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.assets import Option
from ganassets.api.errors import InputError
from ganassets.api.registry import load_generator
from ganassets.inference import jobs, resolve
from ganassets.inference.jobs import MAX_BYTES, plan_requests, read_jobs
from ganassets.inference.model import inspect_model
from ganassets.inference.resolve import seed_recipe
from ganassets.inference.sizes import MAX_SIDE
from support.requests import request_of


@pytest.fixture
def file(squares, make_model):
    """A model of squares."""
    return inspect_model(make_model())


@pytest.fixture
def spec(file):
    """The squares' plugin."""
    return load_generator("squares")


@pytest.fixture
def plan_of_text(file, spec, tmp_path):
    """Return plan(TOML), which checks a file of jobs beside the model "squares.onnx" and the recipe "look"."""
    recipe = seed_recipe(file, spec, request_of((), 0.5), 7, "look-7")
    shutil.copy(file.path, tmp_path / "squares.onnx")
    (tmp_path / "look.recipe.json").write_text(recipe.to_json(), encoding="utf-8")

    def plan(text):
        path = tmp_path / "jobs.toml"
        path.write_text(text, encoding="utf-8")
        return plan_requests(read_jobs(path), tmp_path)

    return plan


def job_text(*lines: str) -> str:
    """A job of squares."""
    return "\n".join(["[[job]]", 'model = "squares.onnx"', 'to = "raw"', *lines]) + "\n"


def only_job(plan):
    (job,) = plan.jobs
    return job


def test_a_job_of_nothing_but_a_model(plan_of_text):
    job = only_job(plan_of_text(job_text()))
    assert (job.exporter, list(job.seeds), job.request.truncation, job.title) == ("raw", [1], 0.85, "1")
    assert job.options == {"copies": 1, "style": "plain", "noisy": False, "scale": 1.0}


@pytest.mark.parametrize(
    ("line", "seeds"),
    [
        ('seeds = "3,5-7"', [3, 5, 6, 7]),
        ("seeds = 9", [9]),
        ("count = 3", [1, 2, 3]),
        ("count = 2\nseed = 40", [40, 41]),
        ("seed = 0", [0]),
        ("seed = 9223372036854775807", [2**63 - 1]),
    ],
)
def test_seeds(plan_of_text, line, seeds):
    assert list(only_job(plan_of_text(job_text(line))).seeds) == seeds


def test_sliders_of_every_kind(plan_of_text):
    fixed = only_job(plan_of_text(job_text('sliders = { age = 30, tint = "red:3,green:1" }')))
    assert fixed.conditions == {"age": 30.0, "tint": {"red": 3.0, "green": 1.0}}
    text = only_job(plan_of_text(job_text('sliders = { age = "30", tint = "green" }')))
    assert text.conditions == {"age": 30.0, "tint": {"green": 1.0}}
    grid = only_job(plan_of_text(job_text('sliders = { age = [20, 50.5], tint = ["red", "red:1,green:1"] }')))
    assert grid.grid == {"age": [20.0, 50.5], "tint": [{"red": 1.0}, {"red": 1.0, "green": 1.0}]}
    drawn = only_job(plan_of_text(job_text('sliders = { age = { from = 20, to = 40 }, tint = { any = ["red"] } }')))
    assert drawn.drawn == {"age": (20.0, 40.0), "tint": ["red"]}


def test_grids_ranges_and_choices_together(plan_of_text):
    job = only_job(
        plan_of_text(job_text('seeds = "1-40"', 'sliders = { tint = ["red", "green"], age = { from = 20, to = 40 } }'))
    )
    units = [job.unit(i) for i in range(len(job))]
    assert len(units) == 80 and [unit.seed for unit in units[:4]] == [1, 1, 2, 2]
    assert [unit.conditions["tint"] for unit in units[:2]] == [{"red": 1.0}, {"green": 1.0}]
    assert units[0].conditions["age"] == units[1].conditions["age"] != units[2].conditions["age"]
    assert all(20 <= unit.conditions["age"] <= 40 for unit in units)


def test_all_other_fields(plan_of_text):
    lines = (
        "truncation = 0.25", "options = { copies = 3, noisy = true, scale = 2, style = 'fancy' }",
        "name = 'x-{seed}'", "folder = 'a/b'", "title = 'small ones'",
    )  # fmt: skip
    job = only_job(plan_of_text(job_text(*lines)))
    assert job.options == {"copies": 3, "style": "fancy", "noisy": True, "scale": 2.0}
    assert (job.request.truncation, job.folder, job.title, job.request.name) == (0.25, "a/b", "small ones", "x-{seed}")
    assert job.unit(0).name == "x-1"


def test_recipes(plan_of_text):
    job = only_job(plan_of_text(job_text('recipes = ["look.recipe.json"]', "folder = 'a'", "options = { copies = 2 }")))
    assert [recipe.name for recipe in job.recipes] == ["look-7"] and len(job) == 1
    named = only_job(
        plan_of_text(
            job_text('recipes = ["look.recipe.json", "look.recipe.json"]', "name = '{job}-{number}'", "title = 't'")
        )
    )
    assert [named.unit(i).name for i in range(2)] == ["t-1", "t-2"]


@pytest.fixture
def size_free(tiles, tiles_model, tmp_path, monkeypatch):
    """Return plan(lines), which plans a job of tiles, whose plugin has a setting and a switch."""
    setting = (Option("rows", int, 2, "How many.", low=1, high=9), Option("loud", bool, False, "Whether."))
    spec = replace(load_generator("tiles"), settings=setting)
    monkeypatch.setattr(resolve, "load_generator", lambda name: spec)

    def plan(*lines):
        path = tmp_path / "jobs.toml"
        path.write_text("\n".join(["[[job]]", f"model = '{tiles_model}'", *lines]), encoding="utf-8")
        return only_job(plan_requests(read_jobs(path)))

    return plan


def test_sizes_and_settings(size_free):
    job = size_free('size = "64x32"', "window = 64", "crop = true", "settings = { rows = 3, loud = true }")
    assert (job.request.size, job.request.window, job.request.crop) == ((32, 64), 64, True)
    assert job.settings == {"rows": 3, "loud": True}
    assert job.exporter == "heights", "the generator's own"
    assert size_free("size = 16").request.size == (16, 16)
    for line, error_text in (
        ("size = 18", "the size 18x18 is no multiple of 4"),
        ('size = "big"', "the size must be WIDTHxHEIGHT"),
        (f'size = "{MAX_SIDE + 4}x4"', "is not possible"),
        ("settings = { rows = 10 }", "rows 10 is outside 1..9"),
        ("settings = { rows = true }", "rows takes a whole number"),
        ("settings = { hue = 1 }", "there is no option 'hue'"),
        ("settings = { loud = 'much' }", "loud takes yes or no"),
    ):
        with pytest.raises(InputError, match=rf"job 1: .*{error_text}"):
            size_free(line)


@pytest.mark.parametrize(
    ("line", "error_text"),
    [
        ('seeds = "5-2"', "job 1: seeds '5-2' run backwards"),
        ("seeds = -1", "job 1: seeds '-1' can't be read"),
        ('seeds = "1-3"\ncount = 2', "job 1: seeds already says which assets; leave out count, or seeds"),
        ('seeds = "1-3"\nseed = 2', "job 1: seeds already says which assets; leave out seed, or seeds"),
        ("seed = 9223372036854775807\ncount = 2", "job 1: seeds end at 9223372036854775807"),
        ("truncation = 1.5", "job 1: truncation: Input should be less than or equal to 1 (not '1.5')"),
        ("sliders = { nose = 1 }", "job 1: there is no slider 'nose'"),
        ("sliders = { age = 101 }", "job 1: age 101 is outside 0..100 years"),
        ("sliders = { age = [1, 101] }", "job 1: age 101 is outside"),
        ("sliders = { age = { from = 0, to = 101 } }", "job 1: age 101 is outside"),
        ("sliders = { age = { from = 9, to = 3 } }", "age goes from 9 to 3; write the smaller one first"),
        ("sliders = { age = { any = ['1'] } }", "age takes { from = ..., to = ... }, not choices"),
        ("sliders = { tint = { from = 0, to = 1 } }", "tint takes { any = [...] }, not a range"),
        ("sliders = { tint = { any = ['blue'] } }", "tint has no 'blue'"),
        ("sliders = { tint = 0.5 }", "tint has no '0.5'"),
        ("sliders = { tint = ['red', 'blue'] }", "tint has no 'blue'"),
        ("options = { copies = 0 }", "copies 0 is outside 1..9"),
        ("options = { copy = 1 }", "raw has no option 'copy'; did you mean 'copies'?"),
        ("size = 64", "models of squares make one size only"),
        ("name = '{age}'", "there is no {age} for a name"),
        ("name = '../{seed}'", "can't be the name of a file"),
        ("folder = '/tmp'", "can't be the name of a file"),
        ("folder = 'a/../..'", "can't be the name of a file"),
        ("title = '../../evil'", "can't be the name of a file"),
        ("name = 'x'\ncount = 2", "two assets would have the name 'x'"),
        ("recipes = ['none']", "none is not there"),
        *[
            (f"recipes = ['look.recipe.json']\n{line}", f"a job with recipes can't set {line.split()[0]}")
            for line in (
                "seeds = 1", "count = 1", "seed = 0", "sliders = { age = 3 }", "truncation = 1", "size = 8",
                "crop = true", "window = 64", "settings = {}",
            )
        ],
    ],
)  # fmt: skip
def test_jobs_that_can_not_be_made(plan_of_text, line, error_text):
    with pytest.raises(InputError) as caught:
        plan_of_text(job_text(line))
    assert error_text in str(caught.value)


def test_errors_name_the_job(plan_of_text):
    with pytest.raises(InputError, match="job 2: seeds"):
        plan_of_text(job_text() + job_text('seeds = "x"'))
    with pytest.raises(InputError, match="job heads: seeds"):
        plan_of_text(job_text() + job_text('seeds = "x"', 'title = "heads"'))
    with pytest.raises(InputError, match=r"job 1: other\.onnx is not there"):
        plan_of_text('[[job]]\nmodel = "other.onnx"')
    with pytest.raises(InputError, match="two jobs have the title '2'"):
        plan_of_text(job_text('title = "2"') + job_text("seed = 9"))


def test_a_format_that_takes_something_else(plan_of_text, squares):
    text = next(squares.folder.glob("raw_*.py")).read_text().replace('("mesh",)', '("motion",)').replace('"raw"', '"m"')
    squares.install("m", "[ganassets.exporters]\nm = jobs_m:EXPORTER\n", {"jobs_m": text})
    with pytest.raises(InputError, match="job 1: m takes motion, but squares makes mesh"):
        plan_of_text('[[job]]\nmodel = "squares.onnx"\nto = "m"')


def test_switches_are_fixed_or_both(plan_of_text, make_model, file, monkeypatch):
    conditions = [{"name": "wet", "switch": True}, asdict(file.manifest.conditions[1])]
    rows = [[float(i % 2), float(i % 3 == 0), float(i % 3 != 0)] for i in range(12)]
    wet = inspect_model(make_model(name="wet.onnx", conditions=conditions, condition_rows=rows))
    monkeypatch.setattr(jobs, "inspect_model", lambda path: wet)
    for line, value in (("true", 1.0), ("false", 0.0), ("'no'", 0.0)):
        job = only_job(plan_of_text(job_text(f"sliders = {{ wet = {line} }}")))
        assert job.conditions == {"wet": value}
    assert only_job(plan_of_text(job_text("sliders = { wet = [true, false] }"))).grid == {"wet": [1.0, 0.0]}
    for line in ("{ from = 0, to = 1 }", "{ any = ['yes', 'no'] }"):
        with pytest.raises(InputError, match="wet takes yes or no, or a list of both"):
            plan_of_text(job_text(f"sliders = {{ wet = {line} }}"))


@pytest.mark.parametrize(
    ("text", "error_text"),
    [
        ("", ": write 1 to 1,000 [[job]] tables"),
        ("job = 3", ": write 1 to 1,000 [[job]] tables"),
        ("job = []", ": write 1 to 1,000 [[job]] tables"),
        ("[[job]]\n", ", job 1: model: Field required"),
        ("[[job]]\nmodel = 3", ", job 1: model: "),
        ("[[job]]\nmodel = 'a'\ncolour = 1", ", job 1: colour: Extra inputs are not permitted"),
        ("[[job]]\nmodel = 'a'\n[other]", ": there is no 'other' in a file of jobs"),
        ("[[job]]\nmodel = 'a'\ncount = 0", ", job 1: count: "),
        ("[[job]]\nmodel = 'a'\ncount = 1000001", ", job 1: count: "),
        ("[[job]]\nmodel = 'a'\nseed = -1", ", job 1: seed: "),
        ("[[job]]\nmodel = 'a'\nseed = 9223372036854775808", ", job 1: seed: "),
        ("[[job]]\nmodel = 'a'\nwindow = 0", ", job 1: window: "),
        ("[[job]]\nmodel = 'a'\nwindow = 70000", ", job 1: window: "),
        ("[[job]]\nmodel = 'a'\ntruncation = nan", ", job 1: truncation: "),
        ("[[job]]\nmodel = 'a'\nsliders = { age = { from = inf, to = inf } }", ", job 1: sliders.age: write a number"),
        ("[[job]]\nmodel = 'a'\nsliders = { age = { from = 1 } }", ", job 1: sliders.age: write a number"),
        ("[[job]]\nmodel = 'a'\nsliders = { age = [] }", ", job 1: sliders.age: write a number"),
        ("[[job]]\nmodel = 'a'\nsliders = { age = [[1]] }", ", job 1: sliders.age: write a number"),
        ("[[job]]\nmodel = 'a'\nsliders = { age = 2026-01-01 }", ", job 1: sliders.age: write a number"),
        ("[[job]]\nmodel = 'a'\nname = '" + "x" * 1001 + "'", ", job 1: name: "),
        ("[[job]]\nmodel = 'a'\n" * 1001, ": write 1 to 1,000 [[job]] tables"),
        ("[[job", " is not TOML ("),
        ("a = 1\na = 2", " is not TOML ("),
        ("a = " + "[" * 5000, " is not TOML ("),
    ],
)
def test_files_that_make_no_sense(tmp_path, text, error_text):
    path = tmp_path / "jobs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_jobs(path)
    message = str(caught.value)
    assert message.startswith(f"{path}{error_text}"), message
    assert len(message) < len(str(path)) + 400


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="is not there; give the path of a file of jobs"):
        read_jobs(tmp_path / "jobs.toml")
    (tmp_path / "a").write_bytes(b"\xff\xfe[")
    with pytest.raises(InputError, match="is not TOML"):
        read_jobs(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="is too large for a file of jobs"):
        read_jobs(tmp_path / "b")


@given(st.text(max_size=200))
def test_any_text_is_jobs_or_an_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("jobs") / "jobs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_jobs(path)
