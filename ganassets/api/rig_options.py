"""Export options of motion clips that several exporters share. Loads neither numpy nor the tables of bone names."""

from __future__ import annotations

from .assets import Option

# Rigs that clips can be written for; their bone names are in `ganassets.api.motion.rigs.RIGS`.
RIG_NAMES = ("vrm", "mixamo", "unreal", "unity", "godot", "rigify")

RIG_OPTION = Option("rig", str, "vrm", "names and rest pose of the bones", choices=RIG_NAMES, kinds=("motion",))
ROOT_OPTION = Option(
    "root", str, "motion", "whether the figure travels", choices=("motion", "in-place"), kinds=("motion",)
)
