"""Material sets for training: folders and zips as libraries of materials deliver them."""

from __future__ import annotations

from .collection import SetReport, read_sets
from .material_set import MaterialSet

__all__ = ["MaterialSet", "SetReport", "read_sets"]
