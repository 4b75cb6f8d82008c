"""Readers of motion files (BVH, glTF, Acclaim, DeepMimic's humanoid), which give ganassets.api.motion.take.Take."""

from __future__ import annotations

from .acclaim import read_acclaim
from .bvh import read_bvh
from .discovery import LabelledTake, find_motion
from .gltf import read_gltf
from .humanoid import read_humanoid
from .labels import ClipLabels
from .motion_file import suffix_of

__all__ = [
    "ClipLabels",
    "LabelledTake",
    "find_motion",
    "read_acclaim",
    "read_bvh",
    "read_gltf",
    "read_humanoid",
    "suffix_of",
]
