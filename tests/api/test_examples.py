"""Examples in the docstrings of the api are run, and every stable name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import runpy
from pathlib import Path

import pytest

import ganassets.api

INSIDE_BLENDER = "ganassets.api.inside_blender"
MODULES = sorted(
    {module.name for module in pkgutil.walk_packages(ganassets.api.__path__, "ganassets.api.")} - {INSIDE_BLENDER}
)
API_LIST = Path(__file__).parents[2] / "docs" / "api_list.py"
PUBLIC = {
    module: set(names) for module, names in runpy.run_path(str(API_LIST), run_name="api_list")["public_names"]().items()
}


def find_examples(module: str) -> list[doctest.DocTest]:
    """Docstrings of a module, also those without an example."""
    finder = doctest.DocTestFinder(exclude_empty=False)
    loaded = importlib.import_module(module)
    # doctest takes a context manager's function for one of contextlib.
    managers = [item for item in vars(loaded).values() if inspect.isfunction(item) and item is not inspect.unwrap(item)]
    own = [inspect.unwrap(item) for item in managers if item.__module__ == module]
    extra = [found for item in own for found in finder.find(item, f"{module}.{item.__name__}", loaded)]
    return [*finder.find(loaded, module), *extra]


@pytest.mark.parametrize("module", MODULES)
def test_examples_do_what_they_show(module: str):
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for examples in find_examples(module):
        runner.run(examples, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_stable_name_has_an_example(module: str):
    shown = {found.name for found in find_examples(module) if any(example.want for example in found.examples)}
    assert PUBLIC[module] - {name.removeprefix(f"{module}.") for name in shown} == set()


def test_the_stable_names_are_found():
    assert sum(map(len, PUBLIC.values())) > 100
    assert {"Mesh", "Exporter"} <= PUBLIC["ganassets.api.assets"]
