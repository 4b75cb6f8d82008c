"""Run by Blender's Python: install one zip over another, then uninstall it, and print what lay there after each step.

Usage: python blender_reinstall.py -- first.zip second.zip
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
from blender_extension import install


def found() -> list[str]:
    """Modules right in the package, which Blender has unpacked."""
    (site,) = Path(bpy.utils.resource_path("USER")).glob("extensions/.local/lib/python*/site-packages")
    return sorted(path.name for path in (site / "ganassets").glob("*.py"))


def main(*paths: str) -> None:
    """Install, install, uninstall."""
    steps = []
    for path in paths:
        install(path)
        steps.append(found())
    repos = [repo.module for repo in bpy.context.preferences.extensions.repos]
    bpy.ops.extensions.package_uninstall(repo_index=repos.index("user_default"), pkg_id="ganassets")
    print("REPORT " + json.dumps({"steps": [*steps, found()]}), flush=True)
    os._exit(0)  # the module of Blender 4.2 crashes on leaving after this, whatever the add-on


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
