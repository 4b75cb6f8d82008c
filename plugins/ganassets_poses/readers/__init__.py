"""Motion that others made: BVH, glTF, Acclaim and DeepMimic files, read as takes (ganassets.api.motion.take)."""

from __future__ import annotations

from .acclaim import read_acclaim
from .bvh import read_bvh
from .find import Facts, Found, find_motion, suffix_of
from .gltf import read_gltf
from .humanoid import read_humanoid

__all__ = ["Facts", "Found", "find_motion", "read_acclaim", "read_bvh", "read_gltf", "read_humanoid", "suffix_of"]
