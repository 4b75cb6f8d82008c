"""Examples in the documentation of the api's modules are run, and the main entry points have one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import ganassets.api

INSIDE_BLENDER = "ganassets.api.inside_blender"
# The main entry points, by module.
MAIN = {
    "assets": ("Mesh", "TextureSet", "MotionClip", "Option", "Exporter"),
    "conditions": ("Condition",),
    "functions": ("load_function",),
    "latents": ("latent", "normal_noise_map"),
    "options": ("option_values",),
    "outputs": ("Output",),
    "registry": ("load_generator", "load_exporter"),
    "spec": ("Preset", "GeneratorSpec"),
    "writer": ("write_files", "write_atomic"),
}
MODULES = sorted(
    {module.name for module in pkgutil.walk_packages(ganassets.api.__path__, "ganassets.api.")} - {INSIDE_BLENDER}
)


def find_examples(module: str) -> list[doctest.DocTest]:
    """Docstrings of a module, also those without an example."""
    return doctest.DocTestFinder(exclude_empty=False).find(importlib.import_module(module), module)


@pytest.mark.parametrize("module", MODULES)
def test_examples_do_what_they_show(module: str):
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for examples in find_examples(module):
        runner.run(examples, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("module", MAIN)
def test_main_entry_points_have_an_example(module: str):
    shown = {found.name.rpartition(".")[2] for found in find_examples(f"ganassets.api.{module}") if found.examples}
    assert set(MAIN[module]) <= shown
