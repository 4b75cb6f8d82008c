"""Finding the model file that an argument means, and its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganassets.api.errors import InputError
from ganassets.cli.generation import say_limits
from ganassets.cli.plugin_options import generator_of
from ganassets.inference.batch.engine import UNTRUSTED_BYTES, UNTRUSTED_SECONDS, BatchSettings, with_limits
from ganassets.inference.jobs import plan_requests
from ganassets.inference.model import CPU, inspect_model
from ganassets.inference.model_search import check_trusted, find_model, is_in_box, is_path, is_trusted, shipped_models
from ganassets.inference.request import GenerationRequest
from support.command_line import read_error, run


@pytest.fixture
def here(squares, tmp_path, monkeypatch) -> Path:
    """The working folder, empty."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def own(here, make_model) -> Path:
    """A model of a run in the working folder."""
    return make_model(name="here/runs/squares-20260131-1/model.onnx")


@pytest.mark.parametrize("text", ["./faces", "runs/x", "../x", "faces.onnx", "FACES.ONNX", ".", "..", "/x/y"])
def test_paths_have_a_separator_or_a_models_suffix(text):
    assert is_path(text)


@pytest.mark.parametrize("text", ["faces", "my-run", "faces.png", "~", ""])
def test_other_words_are_names(text):
    assert not is_path(text)


@pytest.mark.parametrize("name", ["here/squares", "here/squares/model.onnx"])
def test_what_lies_in_the_working_folder_takes_no_names_place(own, make_model, name):
    foreign = make_model(name=name, licence="stranger's")
    assert inspect_model(find_model("squares")).manifest.licence == "CC0-1.0"
    if foreign.name == "model.onnx":
        assert inspect_model(find_model("./squares")).manifest.licence == "stranger's"
    assert run("inspect", "squares").stdout.count("stranger's") == 0


def test_a_folder_of_runs_is_named_by_its_path(own):
    (Path("runs") / "squares-20260131-1").rename("mine")
    assert find_model("./mine") == find_model("mine/") == Path("mine/model.onnx")
    text = "there is no generator 'mine'; for the file or folder of that name write ./mine."
    assert read_error(run("generate", "mine")) == text
    with pytest.raises(InputError, match="did you mean 'squares'"):
        find_model("sqares")


def test_the_newest_run_goes_before_the_box(own):
    assert find_model("squares") == Path("runs/squares-20260131-1/model.onnx")


def test_jobs_name_models_beside_their_file(here, make_model):
    (here / "jobs").mkdir()
    beside = make_model(name="here/jobs/m.onnx")
    make_model(name="here/jobs/squares/model.onnx", licence="stranger's")
    own = make_model(name="here/runs/squares-20260131-1/model.onnx")
    assert find_model("m.onnx", Path("jobs")) == beside.relative_to(here)
    assert find_model("squares", Path("jobs")) == own.relative_to(here)
    assert find_model("runs/squares-20260131-1", Path("jobs")) == own.relative_to(here)


def test_whose_a_model_is(own, make_model, here, tmp_path):
    assert is_trusted(inspect_model(own)) and not is_in_box(inspect_model(own))
    for name in ("here/model.onnx", "here/runs/model.onnx", "here/runs/a/b/model.onnx", "here/runs/a/other.onnx"):
        assert not is_trusted(inspect_model(make_model(name=name)))
    (here / "runs" / "link").mkdir()
    (here / "runs" / "link" / "model.onnx").symlink_to(make_model(name="elsewhere.onnx"))
    assert not is_trusted(inspect_model(here / "runs" / "link" / "model.onnx"))
    (here / "runs").rename(tmp_path / "moved")
    (here / "runs").symlink_to(tmp_path / "moved")
    assert not is_trusted(inspect_model(own)), "an untrusted folder may link to anything"
    check_trusted(inspect_model(make_model()), True)
    with pytest.raises(InputError, match=r"model\.onnx is neither a model in the box nor one of runs/.* add --trusted"):
        check_trusted(inspect_model(make_model()), False)


def test_models_in_the_box_are_trusted(tmp_path):
    (shipped,) = shipped_models("textures")
    assert is_in_box(inspect_model(shipped))
    copy = tmp_path / "textures.onnx"
    copy.write_bytes(shipped.read_bytes())
    assert not is_trusted(inspect_model(copy))


def limits(path: Path, **settings) -> BatchSettings:
    plan = plan_requests([GenerationRequest(model=str(path), to="raw")])
    return with_limits(plan, BatchSettings(**settings))


def test_strangers_models_have_limits_unless_they_are_trusted(own, make_model):
    foreign = make_model()
    assert limits(own) == BatchSettings() and limits(foreign, trusted=True) == BatchSettings(trusted=True)
    for one in (limits(foreign), limits(own, trusted=False)):
        assert (one.memory, one.patience, one.providers) == (UNTRUSTED_BYTES, UNTRUSTED_SECONDS, (CPU,))
    assert limits(foreign, memory=2**30, patience=3.0).memory == 2**30


def test_default_limits_are_reported(own, make_model, capsys):
    foreign = make_model()
    files = [inspect_model(path) for path in (own, foreign, foreign)]
    for trusted in (True, False):
        say_limits(files, trusted)
    assert capsys.readouterr().err == ""
    say_limits(files, None)
    assert capsys.readouterr().err == (
        f"{foreign} is neither in the box nor of a run in runs/, so it runs on the processor under limits; "
        "--trusted lifts them.\n"
    )


@pytest.mark.parametrize(
    "args",
    [
        ("morph", "M", "3", "9", "--to", "raw"),
        ("mix", "M", "3", "9", "--layers", "1", "--to", "raw"),
        ("sliders", "discover", "M"),
        ("evaluate", "M"),
        ("train", "squares", "--from", "M"),
    ],
)
def test_commands_that_open_a_model_themselves_ask_for_trust(args, here, make_model):
    foreign = str(make_model())
    text = read_error(run(*(foreign if arg == "M" else arg for arg in args)))
    assert "opens it in its own process; if you trust it, add --trusted" in text
    assert list(Path(here).iterdir()) == []


def test_a_strangers_model_is_inspected_without_opening_it(here, make_model, monkeypatch):
    foreign = str(make_model())

    def fail(*args, **kwargs):
        raise AssertionError("opened")

    assert run("inspect", foreign, "--trusted").exit_code == 0
    monkeypatch.setattr("ganassets.inference.model._open_session", fail)
    assert "CC0-1.0" in run("inspect", foreign).stdout
    assert "unexpected" in run("inspect", foreign, "--trusted").stderr


def test_the_generator_of_a_model_is_known_by_its_path(own, here, make_model):
    assert generator_of(str(own)) == generator_of("./runs/squares-20260131-1") == "squares"
    make_model(name="here/other")
    assert generator_of("other") is None
