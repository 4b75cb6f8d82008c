"""Untrusted TOML: deep nesting is refused before tomllib parses it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.toml_text import MOST_LEVELS, MOST_PARTS, check_nesting, parse_toml

ROOT = Path(__file__).parents[2]
DEEP = ".".join(["a"] * (MOST_PARTS + 1))


@pytest.mark.parametrize(
    "text",
    [
        f"{DEEP} = 1",
        f"[{DEEP}]",
        f"[[{DEEP}]]",
        " . ".join(["a"] * (MOST_PARTS + 1)) + " = 1",
        ".".join(['"x.y"'] * (MOST_PARTS + 1)) + " = 1",
        f"x = {{ {DEEP} = 1 }}",
        f"x = [ {{ y = 1 }}, {{ {DEEP} = 1 }} ]",
        f'x = [ """a"""", {{ {DEEP} = 1 }}, "" ]',
        f'x = [ """a""""", {{ {DEEP} = 1 }}, "" ]',
        f"x = [ '''a'''', {{ {DEEP} = 1 }}, '' ]",
        f'x = """\\""" # """\n{DEEP} = 1',
        f"x = '\\'\n{DEEP} = 1",
        f"# it's\n{DEEP} = 1",
    ],
)
def test_long_keys_are_refused(text):
    with pytest.raises(ValueError, match=rf"a key of more than {MOST_PARTS} parts in line"):
        parse_toml(text)


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_deep_values_are_refused(pair):
    key = "a=" if pair == "{}" else ""
    deep = (pair[0] + key) * (MOST_LEVELS + 1)
    with pytest.raises(ValueError, match=rf"more than {MOST_LEVELS} levels of brackets in line 2"):
        parse_toml(f"b = 1\nx = {deep}1" + pair[1] * (MOST_LEVELS + 1))


@pytest.mark.parametrize(
    "text",
    [
        ".".join("abcdefghijklmnop"[:MOST_PARTS]) + " = 1.5",
        f"x = '{DEEP}'",
        f'x = """\n{DEEP} "" \\""" {"[" * 99}"""',
        f"x = 1 # {DEEP} {'[' * 99}",
        "x = [" + "1.5, " * 5000 + "]",
        "x = " + "[" * MOST_LEVELS + "]" * MOST_LEVELS,
        "\n".join(f"[t{i}]\nat = 1979-05-27T07:32:00.999" for i in range(500)),
    ],
)
def test_what_people_write_is_read(text):
    assert parse_toml(text) == tomllib.loads(text)


def test_long_texts_are_refused():
    with pytest.raises(ValueError, match="more than 1,048,576 letters"):
        parse_toml("#" * 2**21)


@given(st.text(alphabet="\"'\\#.=[]{}\n a1,", max_size=60))
def test_the_check_follows_the_parser(text):
    """A key or value that tomllib reads as nested is never hidden in what the check takes for a string."""
    hostile = f"{text}\n{DEEP} = 1\n"
    try:
        tomllib.loads(hostile)
    except tomllib.TOMLDecodeError:
        return
    with pytest.raises(ValueError, match="more than"):
        check_nesting(hostile)


def test_nobody_else_reads_toml():
    for room in ("ganassets", "plugins", "exporters", "blender"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
            assert "tomllib" not in imported or path.name == "toml_text.py", path
