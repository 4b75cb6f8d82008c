"""The options of commands and the fields of the request are the same."""

from __future__ import annotations

import click
import pytest

from ganassets.cli.options import FORMAT_OPTIONS, LOOK_OPTIONS, NAME_OPTION, RECIPE_OPTION, SEED_OPTIONS, is_given
from ganassets.inference.request import GenerationRequest

# Fields without an option of their own, and why.
WITHOUT_OPTION = {
    "model": "the command's argument",
    "settings": "an option for each setting of the generator",
    "folder": "of files of jobs alone; the command line has --out",
    "title": "of files of jobs alone",
}


def test_each_option_fills_a_field_of_its_name():
    options = (*SEED_OPTIONS, RECIPE_OPTION, NAME_OPTION, *LOOK_OPTIONS, *FORMAT_OPTIONS)
    command = click.Command("x")
    for option in options:
        option(command)
    names = {param.name for param in command.params}
    assert names | WITHOUT_OPTION.keys() == GenerationRequest.model_fields.keys()
    assert not names & WITHOUT_OPTION.keys()


@pytest.mark.parametrize(
    ("value", "given"),
    [(None, False), (False, False), ((), False), ("", True), (0, True), (0.0, True), ("0", True), (("a=1",), True)],
)
def test_zero_and_an_empty_text_are_values(value, given):
    assert is_given(value) is given
