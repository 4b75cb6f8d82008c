"""`ganassets inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command_line import read_error, run
from support.squares import MANIFEST


def test_inspect(model):
    result = run("inspect", model)
    assert result.exit_code == 0, result.output
    for fact in ("squares 1.2", "CC0-1.0", "0..100 years", "red|green", "vertex x xyz, m", "1.0e-07"):
        assert fact in result.output
    facts = json.loads(run("inspect", model, "--json").output)
    assert facts["manifest"]["conditions"][0]["name"] == MANIFEST["conditions"][0]["name"]
    assert facts["bytes"] == Path(model).stat().st_size
    assert len(facts["sha256"]) == 64


@pytest.mark.parametrize("change", [{"licence": "CC0\x1b[2J\x07\nline"}, {"generator": "squ\x1bares"}])
def test_control_codes_of_a_file_do_not_reach_the_terminal(squares, make_model, change):
    path = str(make_model(**change))
    for verb in ("inspect", "generate"):
        result = run(verb, path)
        assert not {"\x1b", "\x07"} & set(result.output + result.stderr)
        assert result.exit_code == 2 and "Traceback" not in result.output


def test_inspect_bad_input(squares, tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    assert "not a whole ONNX file" in read_error(run("inspect", str(tmp_path / "x.onnx")))
    assert "did you mean 'squares'?" in read_error(run("inspect", "sqares"))
