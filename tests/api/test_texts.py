"""Untrusted texts in terminals, JSON and shells."""

from __future__ import annotations

import json
import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.texts import escape_surrogates, printable, printable_lines, shell_command, to_json

NAME = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", "a [31mred"),
        ("a\x9b31mred", "a 31mred"),
        ("two\nlines\r\u2028x", "two lines  x"),
        ("exe\u202egnp.x", "exe gnp.x"),
        ("\u2066a\u2069\u200f", " a  "),
        ("a\x07\x08\x7fb", "a   b"),
        (NAME, "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("Grüße 日本 🎨", "Grüße 日本 🎨"),
    ],
)
def test_terminals_only_show_them(text, shown):
    assert printable(text) == shown


def test_lines_stay_lines():
    assert printable_lines("a\x1b\nb\r\n") == "a \nb \n"


@given(st.text(st.characters(), max_size=20))
def test_all_that_is_printable_stays(text):
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    escape_surrogates(text).encode("utf-8")


def test_json_is_valid_for_any_bytes_in_a_name():
    text = to_json({NAME: [NAME, 1, None, True], "b": {"c": ("Ü\x1b", 0.5)}}, indent=1)
    assert text.isascii()
    assert json.loads(text) == {"caf\\xe9": ["caf\\xe9", 1, None, True], "b": {"c": ["Ü\x1b", 0.5]}}


def test_suggestions_can_be_pasted(monkeypatch):
    words = ("ganassets", "inspect", "my out/it's.png", 8)
    assert shlex.split(shell_command(*words)) == list(map(str, words))
    assert shell_command("ganassets", "train", "faces") == "ganassets train faces"
    monkeypatch.setattr("ganassets.api.texts.os.name", "nt")
    assert shell_command("ganassets", "inspect", "my out/a.png") == 'ganassets inspect "my out/a.png"'
