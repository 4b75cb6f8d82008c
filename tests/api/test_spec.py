"""The contracts of generators and exporters, and their checks."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.assets import Exporter, Option
from ganassets.api.conditions import Condition
from ganassets.api.errors import InputError
from ganassets.api.options import describe_option, option_values
from ganassets.api.outputs import Output
from ganassets.api.registry import load_exporter, load_generator
from ganassets.api.registry_checks import TRAIN_OPTIONS, exporter_problems, generator_problems
from ganassets.api.spec import DataOption, Preset, with_overrides


@pytest.fixture
def spec(squares):
    """The generator of squares."""
    return load_generator("squares")


@pytest.fixture
def raw(squares):
    """The exporter of bare positions."""
    return load_exporter("raw")


def test_presets_are_found_by_name(spec):
    assert spec.preset("quick") is spec.presets[0]
    with pytest.raises(InputError, match="squares has no preset 'slow'; choose one of quick"):
        spec.preset("slow")


def test_overrides_leave_out_none(spec):
    preset = with_overrides(spec.presets[0], kimg=3.0, batch=None)
    assert preset == replace(spec.presets[0], kimg=3.0)


def test_columns_of_conditions(spec):
    assert [condition.columns for condition in spec.conditions] == [("age",), ("tint:red", "tint:green")]
    assert spec.condition_width == 3


def test_a_sound_generator_has_no_problems(spec):
    assert generator_problems(spec) == []


A_PRESET = Preset("quick", "At once.", 4, 4, 1.0)
A_CONDITION = Condition("age", "How old.")
AN_OUTPUT = Output("albedo", ("x",), "")
FLAWS = [
    ({"name": "Big Squares"}, "generator name 'Big Squares'"),
    ({"summary": ""}, "summary must be one line"),
    ({"summary": "two\nlines"}, "summary must be one line"),
    ({"version": ""}, "version must be one line"),
    ({"outputs": ()}, "no outputs"),
    ({"outputs": (AN_OUTPUT, AN_OUTPUT)}, "output name 'albedo' is used 2 times"),
    ({"outputs": (Output("z", ("x",), ""),)}, "name of a model's input"),
    ({"outputs": (Output("a", (), ""),)}, "names no axes"),
    ({"outputs": (Output("a", ("x",), "", 1.0, 0.0),)}, "empty range"),
    ({"conditions": (A_CONDITION, A_CONDITION)}, "condition name 'age' is used 2 times"),
    ({"conditions": (Condition("a", "", 1.0, 1.0),)}, "empty range"),
    ({"conditions": (Condition("a", "", 0.0, float("nan")),)}, "empty range"),
    ({"conditions": (Condition("a", "", choices=("one",)),)}, "a single choice"),
    ({"conditions": (Condition("a", "", choices=("a:b", "c")),)}, "choice of a name 'a:b'"),
    ({"wraps": ()}, "wraps must have one entry"),
    ({"presets": ()}, "at least one preset"),
    ({"presets": (A_PRESET, A_PRESET)}, "preset name 'quick' is used 2 times"),
    ({"presets": (replace(A_PRESET, size=6),)}, "size 6 is not a multiple of network_size 4"),
    ({"presets": (replace(A_PRESET, kimg=0.0),)}, "kimg must be above 0"),
    ({"presets": (replace(A_PRESET, gamma=-1.0),)}, "gamma must not be negative"),
    ({"presets": (replace(A_PRESET, regression=-0.1),)}, "regression must lie between 0 and 1"),
    ({"presets": (replace(A_PRESET, regression=1.1),)}, "regression must lie between 0 and 1"),
    ({"presets": (replace(A_PRESET, regression=float("nan")),)}, "regression must lie between 0 and 1"),
    ({"presets": (replace(A_PRESET, feature_weight=-1.0),)}, "feature_weight must not be negative"),
    ({"presets": (replace(A_PRESET, matching_weight=float("nan")),)}, "matching_weight must not be negative"),
    ({"presets": (replace(A_PRESET, clusters=4, z_dim=16),)}, "clusters need a z_dim above 16"),
    ({"presets": (replace(A_PRESET, basis_size=A_PRESET.size * 2),)}, "times a power of two"),
    ({"presets": (replace(A_PRESET, paired=1.5),)}, "paired must lie between 0 and 1"),
    ({"presets": (replace(A_PRESET, augmentation=float("nan")),)}, "augmentation must lie between 0 and 1"),
    ({"presets": (replace(A_PRESET, regression_weight=-1.0),)}, "regression_weight must not be negative"),
    ({"presets": (replace(A_PRESET, regression_weight=float("nan")),)}, "regression_weight must not be negative"),
    ({"data_preset": "own"}, "data_preset 'own' is none of its presets"),
    ({"presets": (replace(A_PRESET, objective="magic"),)}, "objective 'magic' is none of rpgan, "),
    ({"noise": "white"}, "noise must be a function or None, not a path such as 'white'"),
    ({"networks": "deep"}, "networks must be a function or None, not a path such as 'deep'"),
    (
        {"decode": "no_such_package.decode:decode"},
        "decode names no function: 'no_such_package.decode:decode': there is",
    ),
    ({"decode": "json:decode"}, "decode names no function: 'json:decode': module 'json' has no function 'decode'"),
    ({"static_digests": "json:digests"}, "static_digests names no function"),
    ({"features": 3}, "features must be a function or None, not a"),
    ({"baselines": 3}, "baselines must be a function or None, not a"),
    ({"measures": 3}, "measures must be a function or None, not a"),
    ({"settings": (Option("fps", int, 0, "", low=1),)}, "option 'fps' has a default outside its range"),
    ({"settings": (Option("fps", int, 1, ""), Option("fps", int, 1, ""))}, "setting name 'fps' is used 2 times"),
    ({"exporter": ""}, "default exporter's name ''"),
    ({"exporter": "two words"}, "default exporter's name 'two words'"),
    ({"outputs": (Output("noise", ("x",), ""),)}, "name of a model's input"),
    ({"presets": (replace(A_PRESET, max_width=1),)}, "max_width is below width"),
    ({"data_options": (DataOption("seed", ""),)}, "name of an option of every `ganassets train`"),
    ({"static_digests": lambda: {"head": "abc"}}, "not a SHA-256"),
    ({"static_digests": lambda: 1 / 0}, "static_digests fails (ZeroDivisionError"),
]


@pytest.mark.parametrize(("change", "message"), FLAWS)
def test_each_flaw_is_reported_alone(spec, change, message):
    (problem,) = generator_problems(replace(spec, **change))
    assert message in problem


def test_a_size_free_generator_may_have_regression_and_noise(spec):
    preset = replace(A_PRESET, regression=0.5, regression_weight=2.0)
    assert generator_problems(replace(spec, presets=(preset,), noise=lambda *_: None, exporter="images")) == []


def test_options_of_training_are_those_of_the_command():
    """Data options may have no other's name."""
    from ganassets.cli.train import command

    generic = {name.removeprefix("--") for option in command.params for name in option.opts if name.startswith("--")}
    assert generic <= set(TRAIN_OPTIONS)


def test_a_sound_exporter_has_no_problems(raw):
    assert exporter_problems(raw) == []


def with_option(**facts) -> dict:
    """An exporter's change: one option with these facts."""
    return {"options": (Option(**{"name": "o", "type": int, "default": 1, "help": "", **facts}),)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": ()}, "no kind of asset"),
        ({"suffixes": ()}, "no suffix"),
        ({"suffixes": ("glb",)}, "must start with a dot"),
        ({"export": None}, "export must be a function, not None"),
        (with_option(type=list, default=[]), "must be bool, int, float or str"),
        (with_option(default=1.5), "a default that is no int"),
        (with_option(default=True), "a default that is no int"),
        (with_option(low=2), "a default outside its range"),
        (with_option(type=str, default="a", choices=("b",)), "none of its choices"),
    ],
)
def test_each_flaw_of_an_exporter_is_reported_alone(raw: Exporter, change, message):
    (problem,) = exporter_problems(replace(raw, **change))
    assert message in problem


def test_options_are_read_and_completed(raw):
    assert option_values(raw.options, {}) == {"copies": 1, "style": "plain", "noisy": False, "scale": 1.0}
    given = {"copies": "3", "style": "fancy", "noisy": "Yes", "scale": "0.5"}
    assert option_values(raw.options, given) == {"copies": 3, "style": "fancy", "noisy": True, "scale": 0.5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"copis": "3"}, "there is no option 'copis'; did you mean 'copies'?"),
        ({"copies": "three"}, "copies takes a whole number, not 'three'"),
        ({"copies": "1.5"}, "copies takes a whole number"),
        ({"copies": "0"}, "copies 0 is outside 1..9"),
        ({"copies": "10"}, "copies 10 is outside 1..9"),
        ({"scale": "-1"}, "scale -1 is outside 0.."),
        ({"scale": "nan"}, "scale nan is outside 0.."),
        ({"style": "odd"}, "style is one of plain, fancy, not 'odd'"),
        ({"noisy": "maybe"}, "noisy takes yes or no, not 'maybe'"),
    ],
)
def test_options_that_do_not_fit(raw, given, message):
    with pytest.raises(InputError) as caught:
        option_values(raw.options, given)
    assert message in str(caught.value)


@given(st.text(max_size=8))
def test_any_text_for_a_number_is_read_or_refused(text):
    option = Option("copies", int, 1, "", low=1, high=9)
    with contextlib.suppress(InputError):
        assert 1 <= option_values([option], {"copies": text})["copies"] <= 9


def test_options_are_described(raw):
    lines = [describe_option(option) for option in raw.options]
    assert lines == [
        "How often. [1..9; default: 1]",
        "How. [plain|fancy; default: plain]",
        "Whether. [yes|no; default: no]",
        "How large. [0..; default: 1]",
    ]


def test_the_contract_needs_the_standard_library_alone():
    code = "import sys, ganassets.api.spec; print([m for m in ('numpy', 'torch', 'pydantic') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
