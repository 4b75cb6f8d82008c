"""Install one zip over another, uninstall it, and print the installed modules after each step as JSON.

Usage: python reinstall_extension.py -- first.zip second.zip
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
from install_extension import install


def installed_modules() -> list[str]:
    """Modules of the package ganassets that Blender has unpacked."""
    (site,) = Path(bpy.utils.resource_path("USER")).glob("extensions/.local/lib/python*/site-packages")
    return sorted(path.name for path in (site / "ganassets").glob("*.py"))


def main(*paths: str) -> None:
    """Install the zips, one over the other, and uninstall the last."""
    steps = []
    for path in paths:
        install(path)
        steps.append(installed_modules())
    repos = [repo.module for repo in bpy.context.preferences.extensions.repos]
    bpy.ops.extensions.package_uninstall(repo_index=repos.index("user_default"), pkg_id="ganassets")
    print("REPORT " + json.dumps({"steps": [*steps, installed_modules()]}), flush=True)
    os._exit(0)  # the module of Blender 4.2 crashes when it exits after this, with any add-on


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
