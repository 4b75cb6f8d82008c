"""Scenes as bytes."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping

from ganassets.api.errors import GanassetsError
from ganassets.api.scratch import REFUSALS, scratch_folder

from .scene import Scene

ALIGNMENT = 64  # bytes
ZIP_HEADER = 30  # bytes of a local header before name and extra field
PADDING = 0x1986  # identifier of the extra field that fills up, as USD's own writer has it


def encode_layer(scene: Scene, form: str) -> bytes:
    """The layer as "usdc" or "usda". USD's writers know files alone, so they get a temporary folder."""
    with scratch_folder("ganassets-usd-") as folder:
        path = folder / f"scene.{form}"
        try:
            scene.stage.GetRootLayer().Export(str(path))
        except RuntimeError as error:  # USD's own errors, each with places in its source
            raise disk_error(str(error)) or GanassetsError("OpenUSD couldn't write the layer.") from error
        return path.read_bytes()


def disk_error(text: str) -> OSError | None:
    """What the system said of a disk that refuses a file, within a longer text; None where it said nothing."""
    return next((OSError(number, os.strerror(number)) for number in REFUSALS if os.strerror(number) in text), None)


def encode_package(name: str, scene: Scene) -> bytes:
    """The layer and its pictures in one file."""
    return pack({f"{name}.usdc": encode_layer(scene, "usdc"), **scene.pictures})


def pack(files: Mapping[str, bytes]) -> bytes:
    """A USDZ package (OpenUSD's USDZ specification): a zip without compression in which every file begins at a multiple
    of 64 bytes, so that it can be read in place. Times are those of the format's first day: USD's writer takes the
    clock's.

    Args:
        files: by name, the layer to open first.
    """
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 0  # whatever the platform
            start = package.tell() + ZIP_HEADER + len(name.encode())
            entry.extra = padding(-(start + 4) % ALIGNMENT)
            archive.writestr(entry, content)
    return package.getvalue()


def padding(count: int) -> bytes:
    """An extra field of so many bytes behind its own header of 4."""
    return struct.pack("<HH", PADDING, count) + bytes(count)
