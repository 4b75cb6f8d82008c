"""Install and enable the extension, and print facts about it as JSON.

Usage: python install_extension.py -- ganassets-linux-x64.zip USER_FOLDER
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

# isort: split
import addon_utils  # pyright: ignore[reportMissingImports]  # importing bpy makes it available

EXTENSIONS = bpy.app.version >= (4, 2)
MODULE = "bl_ext.user_default.ganassets" if EXTENSIONS else "ganassets"


def install(path: str) -> None:
    """Install and enable the extension as a user does."""
    if EXTENSIONS:
        addon_utils.enable("bl_pkg", default_set=True)
        done = bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)
        assert done == {"FINISHED"}, done
    else:
        bpy.ops.preferences.addon_install(filepath=path)
        enable()


def enable() -> None:
    """Enable the installed extension."""
    done = bpy.ops.preferences.addon_enable(module=MODULE)
    assert done == {"FINISHED"}, done


def packages(addon: Path, user: Path) -> Path:
    """Folder with the packages from the wheels."""
    if EXTENSIONS:
        return Path(importlib.import_module("ganassets").__file__ or "").parents[1]
    return importlib.import_module(f"{MODULE}.wheel_runner").unpack(addon / "wheels", user / "packages")


def main(path: str, user: str) -> None:
    """Install the extension and report."""
    start = time.perf_counter()
    install(path)
    seconds = time.perf_counter() - start
    addon = sys.modules[MODULE]
    folder = Path(addon.__file__ or "").parent
    report: dict[str, Any] = {
        "seconds": seconds,
        "enabled": addon_utils.check(MODULE)[1],
        "blender": list(bpy.app.version),
        "version": list(addon_utils.module_bl_info(addon)["version"]),
        "addon": str(folder),
        "packages": str(packages(folder, Path(user))),
        # sys.executable may be any Python of that name on the PATH.
        "python": str(Path(sys.exec_prefix) / "bin" / "python{}.{}".format(*sys.version_info)),
        "numpy": str(Path(np.__file__).parents[1]),
        "numpy_version": np.__version__,
    }
    if EXTENSIONS:
        runtime = importlib.import_module("onnxruntime")
        report["onnxruntime"] = str(Path(runtime.__file__ or "").parents[1])
        report["providers"] = runtime.get_available_providers()
    print("REPORT " + json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
