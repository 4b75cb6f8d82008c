"""The Blender extension, the process that it talks to, and asset libraries.

`addon/` runs inside Blender. It is licensed under GPL-3.0-or-later, like all code that uses Blender's Python interface.
Everything else runs in processes of its own and needs no Blender.
"""

from __future__ import annotations

from dataclasses import replace

from ganassets.api.assets import Exporter, Option
from ganassets.api.rig_options import RIG_OPTION, ROOT_OPTION

EXPORTER = Exporter(
    name="parts",
    summary="input of the Blender add-on: arrays, images, a thumbnail, and a card that describes them",
    api_version=1,
    kinds=("textures", "mesh", "motion"),
    suffixes=(".json", ".npz", ".png"),
    export="ganassets_blender.parts:encode_parts",
    options=(
        replace(RIG_OPTION, default="mixamo"),
        Option("armature", str, "", "file that describes the armature to retarget a clip to", kinds=("motion",)),
        ROOT_OPTION,
    ),
)
