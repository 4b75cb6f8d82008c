"""Run the script of docs/blender.md in Blender, with a .blend file in a folder, and count the assets of each volume.

Usage: blender -b --python run_overnight.py -- SCRIPT FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]

sys.path.insert(0, str(Path(__file__).parent))
from install_extension import enable

script, folder = sys.argv[sys.argv.index("--") + 1 :]
enable()
bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder, "my.blend")))
exec(compile(Path(script).read_text(encoding="utf-8"), script, "exec"))
found = {}
for path in sorted(Path(folder).rglob("*-0001.blend")):
    with bpy.data.libraries.load(str(path), assets_only=True) as (there, _):
        found[path.name] = len(there.materials) + len(there.collections) + len(there.actions)
print("REPORT " + json.dumps(found))
