"""Write the list of public names in docs/api.md from their docstrings.

Usage: python docs/api_list.py
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import ganassets
import ganassets.api

PAGE = Path(__file__).with_name("api.md")
MARK = "<!-- written by docs/api_list.py -->\n"


def modules() -> list[ModuleType]:
    """Import the modules of ganassets.api, in alphabetical order."""
    found = pkgutil.walk_packages(ganassets.api.__path__, "ganassets.api.")
    return [importlib.import_module(info.name) for info in found if info.name != "ganassets.api.inside_blender"]


def public_names(module: ModuleType) -> dict[str, str]:
    """Return the module's own public classes and functions with the first sentence of their docstrings."""
    members = inspect.getmembers(module, lambda item: inspect.isclass(item) or inspect.isfunction(item))
    own = {name: item for name, item in members if item.__module__ == module.__name__ and not name.startswith("_")}
    return {name: (inspect.getdoc(item) or "").splitlines()[0] for name, item in own.items()}


def listing() -> str:
    """Return the list as Markdown."""
    parts = []
    for module in modules():
        names = public_names(module)
        if names:
            rows = "".join(f"| `{name}` | {text.replace('|', chr(92) + '|')} |\n" for name, text in names.items())
            summary = (inspect.getdoc(module) or "").splitlines()[0]
            parts.append(f"\n### `{module.__name__}`\n\n{summary}\n\n| name | meaning |\n| --- | --- |\n{rows}")
    return "".join(parts)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}{listing()}", encoding="utf-8")
