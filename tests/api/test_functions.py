"""Functions of plugins that are given as paths: imported at the first call, and named where they don't exist."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from ganassets.api.assets import Exporter, Picture
from ganassets.api.errors import PluginError
from ganassets.api.functions import FunctionPathError, LazyFunction, load_function
from ganassets.api.plugin_calls import export_asset
from ganassets.api.registry import find_exporters, load_exporter, load_generator
from ganassets.api.registry_checks import exporter_problems

WRITER = "def export(asset, options):\n    return {asset.name + '.note': options['words'].encode()}\n"
FORMAT = """
from ganassets.api.assets import Exporter, Option

EXPORTER = Exporter(
    name="note", summary="A note.", api_version=1, kinds=("picture",), suffixes=(".note",),
    export="{package}.export:export", options=(Option("words", str, "hello", "Text of the note."),),
)
"""
WRONG = {
    "export": "is not of the form",
    "a:b:c": "is not of the form",
    "a.:b": "is not of the form",
    "a b:c": "is not of the form",
    "no_such_package.export:export": "there is no module 'no_such_package'",
    "json.export:export": "there is no module 'json.export'",
    "json:export": "module 'json' has no function 'export'",
    "json:__doc__": "module 'json' has no function '__doc__'",
}


@pytest.fixture
def picture() -> Picture:
    """The smallest asset."""
    np = pytest.importorskip("numpy")
    return Picture("dot", np.zeros((1, 1, 3), np.uint8))


@pytest.fixture
def package(plugin_path) -> str:
    """A package of an exporter in a folder and one entry point: all that a new format takes."""
    name = f"note_{abs(hash(str(plugin_path.folder)))}"
    folder = plugin_path.folder / name
    folder.mkdir()
    (folder / "__init__.py").write_text(FORMAT.format(package=name))
    (folder / "export.py").write_text(WRITER)
    plugin_path.install("ganassets-note", f"[ganassets.exporters]\nnote = {name}:EXPORTER\n")
    return name


def test_a_format_takes_its_package_and_one_entry_point(package: str, picture: Picture):
    exporter = load_exporter("note")
    assert exporter_problems(exporter) == []
    assert export_asset(exporter, picture, {"words": "hi"}) == {"dot.note": b"hi"}


def test_its_module_is_imported_at_the_first_call(package: str, picture: Picture):
    (record,) = find_exporters()
    assert record.plugin and f"{package}.export" not in sys.modules
    record.plugin.export(picture, {"words": ""})
    assert f"{package}.export" in sys.modules


def test_callables_are_kept_as_they_are():
    def export(asset, options):
        return {}

    exporter = Exporter("note", "A note.", 1, ("picture",), (".note",), export)
    assert exporter.export is export
    assert replace(exporter, export="a:b").export == LazyFunction("a:b") != export


def test_copies_keep_paths(squares):
    spec = replace(load_generator("squares"), decode="no_such_package:decode")
    assert replace(spec, version="2").decode == LazyFunction("no_such_package:decode")


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_path_is_a_plugin_error(path: str, picture: Picture):
    with pytest.raises(FunctionPathError, match=WRONG[path]):
        load_function(path)
    exporter = Exporter("note", "A note.", 1, ("picture",), (".note",), path)
    with pytest.raises(PluginError) as caught:
        export_asset(exporter, picture, {})
    assert caught.value.function == "export" and WRONG[path] in caught.value.found
    assert WRONG[path].removeprefix("is not of the form") in "".join(exporter_problems(exporter))


def test_errors_of_imported_modules_are_reported(package: str, plugin_path, picture: Picture):
    (plugin_path.folder / package / "export.py").write_text("import no_such_library\n")
    exporter = load_exporter("note")
    assert exporter_problems(exporter) == [], "an optional library may be missing"
    with pytest.raises(PluginError, match="it raised ModuleNotFoundError: No module named 'no_such_library'"):
        export_asset(exporter, picture, {})
    (plugin_path.folder / package / "export.py").write_text(f"import {package}.missing\n")
    (problem,) = exporter_problems(exporter)
    assert "export can't be imported from" in problem and "missing" in problem
