"""Write the list of the stable names of ganassets.api in docs/api.md from their docstrings.

A name is stable if a built-in plugin or exporter, an example or a Python block of the documentation imports it.

Usage: python docs/api_list.py
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDERS = ("plugins", "exporters", "examples")
PYTHON_BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.M | re.S)
PAGE = Path(__file__).with_name("api.md")
MARK = "<!-- written by docs/api_list.py -->\n"


def read_sources() -> Iterator[str]:
    """Yield the Python code of the built-in plugins and exporters, the examples and the documentation."""
    for folder in FOLDERS:
        yield from (path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py")))
    for document in sorted((ROOT / "docs").glob("*.md")):
        yield from PYTHON_BLOCK.findall(document.read_text(encoding="utf-8"))


def imported_names(source: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each import from ganassets.api."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith("ganassets.api."):
            yield from ((node.module, alias.name) for alias in node.names)


def public_names() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return the stable classes and functions by the module that defines them and by name, in alphabetical order."""
    imports = {pair for source in read_sources() for pair in imported_names(source)}
    items = [getattr(importlib.import_module(module), name) for module, name in imports]
    public = {
        (item.__module__, item.__name__): item
        for item in items
        if inspect.isclass(item) or inspect.isroutine(inspect.unwrap(item))
    }
    found: dict[str, dict[str, Callable[..., Any]]] = {}
    for module, name in sorted(public):
        found.setdefault(module, {})[name] = public[module, name]
    return found


def first_line(item: object) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(item) or "").partition("\n")[0]


def listing() -> str:
    """Return the list as Markdown."""
    parts = []
    for module, names in public_names().items():
        rows = "".join(
            f"| `{name}` | {first_line(item).replace('|', chr(92) + '|')} |\n" for name, item in names.items()
        )
        summary = first_line(importlib.import_module(module))
        parts.append(f"\n### `{module}`\n\n{summary}\n\n| name | meaning |\n| --- | --- |\n{rows}")
    return "".join(parts)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}{listing()}", encoding="utf-8")
