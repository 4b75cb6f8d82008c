"""Errors of asset libraries."""

from __future__ import annotations

from ganassets.api.errors import GanassetsError, InputError


class LibraryError(InputError):
    """The library's folder, or a file in it, can't be used; another folder helps."""


class VolumeError(GanassetsError):
    """Blender failed to write a volume of the library."""
