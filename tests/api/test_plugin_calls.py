"""Plugins that break their contract: errors name the plugin, and the rest of a batch continues."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conftest import SQUARES, build_model
from ganassets.api import plugin_calls
from ganassets.api.errors import ContractError, InputError, PluginError
from ganassets.api.registry import load_generator
from ganassets.api.spec import GeneratorSpec, Target
from ganassets.inference.batch.engine import FAILURES, BatchSettings, run_batch
from ganassets.inference.batch.plan import Plan
from ganassets.inference.model import inspect_model, open_model
from ganassets.inference.resolve import generate_assets, resolve_request
from support.command_line import run as run_command
from support.requests import request_of

ONE = BatchSettings(workers=1)
WHO = (
    "generator 'strange' of ganassets-strange 0.3: decode must return a list with one asset of kind mesh for each name"
)
# What stands behind `made`, the list of a seed's asset, in place of `return made`; for odd seeds only.
DECODERS = {
    "return None": "it returned None",
    "return 'squares'": "it returned a str",
    "return {}": "it returned a dict of 0",
    "return made[0]": "it returned a Mesh",
    "import itertools\n        return itertools.count()": "it returned a count",
    "return (one for one in made)": "it returned a generator",
    "return []": "it returned 0 for 1 names",
    "return made * 2": "it returned 2 for 1 names",
    "return [None]": "it returned None in place of a Mesh",
    "return [5]": "it returned an int in place of a Mesh",
    "return [replace(made[0], name='other')]": "it called the asset strange-00000001 'other'",
    "return [replace(made[0], positions=None)]": "it made something else: positions must be a float32 array",
    "return [replace(made[0], positions=made[0].positions * np.nan)]": "positions holds numbers that are not finite",
    "return [replace(made[0], positions=made[0].positions[:3])]": "positions must have shape 4x3, not 3x3",
    "raise KeyError('x')": "it raised KeyError: 'x'",
    "raise SystemExit(0)": "it raised SystemExit: 0",
    "raise GeneratorExit": "it raised GeneratorExit",
    "raise type('Stop', (BaseException,), {})('no')": "it raised Stop: no",
    "return decode(arrays, manifest, names, provenances, settings)": "it raised RecursionError",
    "raise ValueError('two\\nlines')": "it raised ValueError: two",
}
# Bodies of an exporter.
EXPORTERS = {
    "return None": "it returned None",
    "return 'text'": "it returned a str",
    "return [b'x']": "it returned a list of 1",
    "return {}": "it returned a dict of 0",
    "yield b'x'": "it returned a generator",
    "return {asset.name + '.x': 'text'}": "'strange-00000001.x' is a str",
    "return {asset.name + '.x': None}": "'strange-00000001.x' is None",
    "return {asset.name + '.x': bytearray(3)}": "'strange-00000001.x' is a bytearray",
    "return {asset.name + '.x': asset.positions}": "'strange-00000001.x' is a float32 array of 4 x 3",
    "return {b'x': b''}": "b'x' is a bytes",
    "return {None: b''}": "None is a bytes",
    "return {'': b''}": "'' can't be the name of a file",
    "return {asset.name + '/x': b''}": "'strange-00000001/x' can't be the name of a file",
    "return {asset.name + '\\\\x': b''}": "can't be the name of a file",
    "return {'..': b''}": "'..' can't be the name of a file",
    "return {'/x': b''}": "'/x' can't be the name of a file",
    "return {asset.name + '.\\0': b''}": "can't be the name of a file",
    "return {asset.name + '.' + 'x' * 300: b''}": "... can't be the name of a file",
    "return {asset.name + '.\\ud800': b''}": "can't be the name of a file",
    "return {asset.name + '.\\udcff': b''}": "can't be the name of a file",
    "return {'con.x': b''}": "'con.x' can't be the name of a file",
    "return {asset.name + '.x': b'', asset.name + '.X': b''}": "two files would have the name 'strange-00000001.X'",
    "return {'same.x': b''}": "it called one 'same.x'",
    "raise OSError('no')": "it raised OSError: no",
    "raise type('Stop', (BaseException,), {})": "it raised Stop",
}
EXPORTER = """
from ganassets.api.assets import Exporter

def odd(asset, options):
    {body}

def export(asset, options):
    return odd(asset, options) if asset.provenance.seed % 2 else {{asset.name + ".x": b"x"}}

EXPORTER = Exporter("strange", "Strange.", 1, ("mesh",), (".x",), export)
"""


@pytest.fixture
def install_package(squares, monkeypatch) -> Callable[[str, str], None]:
    """Return a function that installs a generator and an exporter; it sets the end of decode and the body of export."""

    def install(decoder: str = "return made", body: str = "return {asset.name + '.x': b'x'}") -> None:
        text = SQUARES.replace('"squares"', '"strange"').replace(
            "    return made\n", f"    if provenances[0].seed % 2:\n        {decoder}\n    return made\n"
        )
        text = text.replace("import numpy as np", "from dataclasses import replace\nimport numpy as np")
        modules = {"strange_generator": text, "strange_exporter": EXPORTER.format(body=body)}
        entry = (
            "[ganassets.generators]\nstrange = strange_generator:SPEC\n"
            "[ganassets.exporters]\nstrange = strange_exporter:EXPORTER\n"
        )
        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)
        squares.install("ganassets-strange", entry, modules, "0.3")

    return install


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a model of the strange generator."""
    path = tmp_path / "strange.onnx"
    path.write_bytes(build_model(generator="strange").SerializeToString())
    return path


def make_batch(path: Path, out: Path, count: int = 4) -> list[dict[str, Any]]:
    """The failures of a batch of seeds from 1 on."""
    plan = Plan([resolve_request(request_of(tuple(range(1, count + 1)), to="strange"), file=inspect_model(path))])
    summary = run_batch(plan, out, ONE)
    assert summary.made == count // 2
    assert [failure.exit_code for failure in summary.failures] == [1] * (count // 2)
    return [json.loads(line) for line in (out / FAILURES).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_failing_decoder_is_named_and_the_batch_continues(install_package, path, tmp_path, decoder):
    install_package(decoder=decoder)
    with pytest.raises(PluginError) as caught:
        list(generate_assets(open_model(path, threads=1), load_generator("strange"), request_of((1,))))
    error = caught.value
    assert (error.function, error.exit_code) == ("decode", 1)
    assert str(error).startswith(f"{WHO}, but ") and DECODERS[decoder] in error.found
    assert "\n" not in str(error) and str(error).endswith("; update the plugin or tell its author.")
    failures = make_batch(path, tmp_path / "out")
    assert [failure["seed"] for failure in failures] == [1, 3]
    assert failures[0]["error"] == str(error)
    assert sorted(file.name for file in (tmp_path / "out").glob("*.x")) == ["strange-00000002.x", "strange-00000004.x"]


@pytest.mark.parametrize("body", EXPORTERS)
def test_a_failing_exporter_is_named_and_the_batch_continues(install_package, path, tmp_path, body):
    install_package(body=body)
    failures = make_batch(path, tmp_path / "out")
    assert [failure["seed"] for failure in failures] == [1, 3]
    text = failures[0]["error"]
    assert text.startswith("exporter 'strange' of ganassets-strange 0.3: export must ")
    assert EXPORTERS[body] in text and text.endswith("; update the plugin or tell its author.")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"strange-00000002.x", "strange-00000004.x", FAILURES, "index.jsonl"}
    assert not list(tmp_path.glob("*.x")), "nothing left the folder"


def test_the_command_says_which_plugin(install_package, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install_package(decoder="return None")
    result = run_command("generate", str(path), "--to", "strange", "--seeds", "1,3", "--no-preview", "--trusted")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {WHO}, but it returned None; update the plugin or tell its author.\n"
    result = run_command("generate", str(path), "--to", "strange", "--seeds", "1-4", "--no-preview", "--trusted")
    assert result.exit_code == 1 and "2 of 4 could not be made" in result.stderr
    assert f"Not made: strange-00000001: {WHO}, but it returned None" in result.stderr


def test_lists_that_a_decoder_changes_are_its_own(install_package, path, tmp_path):
    install_package(decoder="[part.clear() for part in (names, provenances, arrays)]; settings['x'] = 1; return made")
    plan = Plan([resolve_request(request_of((1, 2, 3), to="strange"), file=inspect_model(path))])
    assert run_batch(plan, tmp_path / "out", ONE).made == 3


def test_errors_for_the_user_stay_as_they_are(install_package, path):
    install_package(decoder="from ganassets.api.errors import InputError; raise InputError('use another slider.')")
    with pytest.raises(InputError, match=r"^use another slider\.$"):
        list(generate_assets(open_model(path, threads=1), load_generator("strange"), request_of((1,))))


def test_too_little_memory_is_not_the_plugins(install_package, path, tmp_path):
    install_package(decoder="raise MemoryError")
    failures = make_batch(path, tmp_path / "out")
    assert [failure["seed"] for failure in failures] == [1, 3]
    assert failures[0]["error"].startswith("there is not enough memory for decode of generator 'strange'")


def test_a_folder_that_can_not_be_read_is_not_the_plugins():
    def dataset(*arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied", "/some/folder")

    spec = replace(load_generator("textures"), dataset=dataset)
    with pytest.raises(PermissionError):
        plugin_calls.make_dataset(spec, spec.presets[0], {}, 0, lambda done, total: None)


def test_ctrl_c_is_not_the_plugins(install_package, path):
    install_package(decoder="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        list(generate_assets(open_model(path, threads=1), load_generator("strange"), request_of((1,))))


def test_the_error_can_be_sent_to_another_process():
    error = PluginError("exporter 'a'", "export", "return bytes", "it returned None.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(error) == (
        "exporter 'a': export must return bytes, but it returned None; update the plugin or tell its author."
    )


@pytest.fixture
def spec(squares) -> GeneratorSpec:
    """A generator whose functions the tests replace."""
    return load_generator("squares")


def picture(mode: str = "RGB", size: tuple[int, int] = (2, 2)) -> Any:
    from PIL import Image

    return Image.new(mode, size)


ARRAYS, ROWS = {"albedo": np.zeros((3, 2), np.float32)}, np.zeros((3, 2), np.float32)
INFO = SimpleNamespace(stride=4)
CALLS: dict[str, Callable[[GeneratorSpec], Any]] = {
    "preview": lambda spec: plugin_calls.draw_preview(spec, [1]),
    "snapshot": lambda spec: plugin_calls.draw_snapshot(spec, ARRAYS, ROWS),
    "animation": lambda spec: plugin_calls.draw_animation(spec, [1]),
    "noise": lambda spec: plugin_calls.make_noise(spec, 1, ROWS[0], 3, (4, 8)),
    "map_size": lambda spec: plugin_calls.choose_map_size(spec, {}, ROWS[0], INFO, 2),  # pyright: ignore
    "features": lambda spec: plugin_calls.find_features(spec, ARRAYS, ROWS),
    "measures": lambda spec: plugin_calls.measure_assets(spec, [1]),
    "target": lambda spec: plugin_calls.read_target(spec, Path("x")),
    "baselines": lambda spec: plugin_calls.make_baselines(spec, spec.presets[0], {}, 0),
    "static_digests": plugin_calls.static_digests,
}
NOISE = np.zeros((3, 4, 8), np.float32)
WRONG: list[tuple[str, Any, str]] = [
    ("preview", None, "it returned None"),
    ("preview", b"PNG", "it returned a bytes"),
    ("preview", NOISE, "it returned a float32 array of 3 x 4 x 8"),
    ("preview", picture(size=(0, 3)), "it returned an Image of 0 x 3 pixels"),
    ("preview", picture("F"), "its image can't be a PNG"),
    ("snapshot", 5, "it returned an int"),
    ("animation", "webp", "it returned a str"),
    ("animation", b"no picture at all", "it returned other bytes"),
    ("noise", None, "it returned None"),
    ("noise", NOISE.astype(np.float64), "it returned a float64 array of 3 x 4 x 8"),
    ("noise", NOISE[:2], "it returned a float32 array of 2 x 4 x 8"),
    ("noise", NOISE.T, "it returned a float32 array of 8 x 4 x 3"),
    ("noise", NOISE + np.float32("nan"), "it returned numbers that are not finite"),
    ("map_size", None, "it returned None"),
    ("map_size", 8, "it returned an int"),
    ("map_size", (8,), "it returned (8,)"),
    ("map_size", (8.0, 8.0), "it returned a tuple of 2"),
    ("map_size", (8, 6), "it returned (8, 6)"),
    ("map_size", (8, -4), "it returned (8, -4)"),
    ("features", None, "it returned None"),
    ("features", ROWS[:2], "it returned a float32 array of 2 x 2"),
    ("features", ROWS[:, 0], "it returned a float32 array of 3"),
    ("features", ROWS.astype(str), "it returned a <U32 array of 3 x 2"),
    ("features", ROWS - np.float32("inf"), "it returned numbers that are not finite"),
    ("measures", None, "it returned None"),
    ("measures", {"a": "b"}, "'a' is a str"),
    ("measures", {1: 2.0}, "1 is a float"),
    ("target", None, "it returned None"),
    ("target", Target(lambda assets: ROWS, np.array([np.nan]), "m"), "it returned numbers that are not finite"),
    ("baselines", None, "it returned None"),
    ("baselines", {3: None}, "3 is an int"),
    ("baselines", {"a": NOISE}, "it returned a float32 array of 3 x 4 x 8"),
    ("static_digests", None, "it returned None"),
    ("static_digests", {"a": 5}, "it returned a dict of 1"),
]


@pytest.mark.parametrize(("function", "value", "found"), WRONG, ids=range(len(WRONG)))
def test_what_other_functions_return_is_checked(spec, function, value, found):
    with pytest.raises(PluginError, match=f"^generator 'squares' of squares-and-raw 1.2: {function} must") as caught:
        CALLS[function](replace(spec, **{function: lambda *arguments: value}))
    assert caught.value.found.startswith(found)


@pytest.mark.parametrize("function", CALLS)
def test_errors_of_other_functions_are_reported(spec, function):
    with pytest.raises(PluginError, match=rf"{function} must .* but it raised ZeroDivisionError: division by zero;"):
        CALLS[function](replace(spec, **{function: lambda *arguments: 1 / 0}))


def test_sound_values_pass(spec):
    content = plugin_calls.draw_preview(replace(spec, preview=lambda assets: picture()), [1])
    assert content.startswith(b"\x89PNG")
    assert plugin_calls.draw_snapshot(replace(spec, snapshot=lambda *_: None), ARRAYS, ROWS) is None
    assert plugin_calls.draw_animation(spec, [1]) is None
    noise = plugin_calls.make_noise(replace(spec, noise=lambda *_: NOISE), 1, ROWS[0], 3, (4, 8))
    assert noise is NOISE
    size = plugin_calls.choose_map_size(replace(spec, map_size=lambda *_: (np.int64(8), 4)), {}, ROWS[0], INFO, 2)  # pyright: ignore
    assert size == (8, 4)
    found = plugin_calls.measure_assets(replace(spec, measures=lambda _: {"a": np.float32(2), "b": np.inf}), [1])
    assert found == {"a": 2.0}, "unmeasurable outputs are left out"


def test_a_row_that_a_plugin_changes_is_its_own(spec):
    def noise(seed, row, size):
        row[:] = 99
        return NOISE

    row = ROWS[0].copy()
    plugin_calls.make_noise(replace(spec, noise=noise), 1, row, 3, (4, 8))
    assert (row == 0).all()


def test_a_file_of_the_user_is_not_the_plugins_fault(spec):
    def target(path):
        raise ContractError("rotations must be unit quaternions.")

    with pytest.raises(InputError, match=r"^rotations must be unit quaternions\.$") as caught:
        plugin_calls.read_target(replace(spec, target=target), Path("clip.bvh"))
    assert caught.value.exit_code == 2


def test_a_plugin_that_ends_the_process_is_named(install_package, path, tmp_path):
    """Use worker processes; in a single process, no code is left to report the error."""
    install_package(body="import os, time; time.sleep(0.5); os._exit(0)")
    plan = Plan([resolve_request(request_of((2, 4, 1, 6), to="strange"), file=inspect_model(path))])
    settings = BatchSettings(workers=1, memory=4 * 2**30)
    summary = run_batch(plan, tmp_path / "out", settings)
    assert summary.made == 3
    (failure,) = summary.failures
    assert failure.why == (
        "generator 'strange' of ganassets-strange 0.3 or exporter 'strange' of ganassets-strange 0.3 ended the process "
        "(exit code 0); tell its author."
    )


def test_the_module_is_light():
    """Assets are made where nothing is installed that training needs."""
    code = (
        "import sys, ganassets.api.plugin_calls; "
        "print([m for m in ('torch', 'PIL', 'onnxruntime', 'click', 'rich') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_assets_that_can_not_be_cropped(tiling):
    model, spec = tiling

    class UncroppableAsset:
        kind, name = "plain", "tiles-00000001"

        def reduced(self, longest):
            return self

    broken = replace(spec, asset_kind="plain", decode=lambda *_: [UncroppableAsset()])
    with pytest.raises(InputError, match="assets of tiles can't be cropped; leave out --crop"):
        list(generate_assets(model, broken, request_of((1,), size=(6, 6), crop=True)))


def test_a_generator_without_other_methods_has_no_baselines(spec):
    assert plugin_calls.make_baselines(spec, spec.presets[0], {}, 0) == {}


def test_shares_of_a_target(spec):
    target = Target(lambda assets: ROWS, np.zeros(2), "m")
    assert plugin_calls.measure_target_shares(spec, target, 1) == {}
    met = replace(target, shares=lambda asset: {"structure": np.float64(asset)})
    assert plugin_calls.measure_target_shares(spec, met, 0.5) == {"structure": 0.5}
    for value, found in ((1.5, "'structure' is"), (float("nan"), "'structure' is"), ("all", "'structure' is 'all'")):
        wrong = replace(target, shares=lambda asset, value=value: {"structure": value})
        with pytest.raises(PluginError, match=f"shares are numbers from 0 to 1 by name, but {found}"):
            plugin_calls.measure_target_shares(spec, wrong, 1)
    with pytest.raises(PluginError, match="it returned None"):
        plugin_calls.measure_target_shares(spec, replace(target, shares=lambda asset: None), 1)  # pyright: ignore
