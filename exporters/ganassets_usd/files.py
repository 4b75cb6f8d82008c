"""Encode stages as USD layers and USDZ packages."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping

from ganassets.api.errors import GanassetsError
from ganassets.api.scratch import REFUSALS, scratch_folder

from .stage import AssetStage

ALIGNMENT = 64  # bytes
ZIP_HEADER = 30  # bytes of a local header before name and extra field
PADDING = 0x1986  # identifier of the extra field that fills up to the alignment, the same as in USD's own writer


def encode_layer(stage: AssetStage, format: str) -> bytes:
    """Encode a stage's layer as "usdc" or "usda". USD writes files only, so it gets a temporary folder."""
    with scratch_folder("ganassets-usd-") as folder:
        path = folder / f"scene.{format}"
        try:
            stage.usd.GetRootLayer().Export(str(path))
        except RuntimeError as error:  # USD's own error names places in its source, not the reason
            raise disk_error(str(error)) or GanassetsError("OpenUSD couldn't write the layer.") from error
        return path.read_bytes()


def disk_error(text: str) -> OSError | None:
    """Find the operating system's message of a disk that refused a file in a longer text; None if there is none."""
    return next((OSError(number, os.strerror(number)) for number in REFUSALS if os.strerror(number) in text), None)


def encode_package(name: str, stage: AssetStage) -> bytes:
    """Encode a stage's layer and its images as one package."""
    return pack_usdz({f"{name}.usdc": encode_layer(stage, "usdc"), **stage.images})


def pack_usdz(files: Mapping[str, bytes]) -> bytes:
    """Pack files as USDZ (OpenUSD's USDZ specification).

    That is a zip without compression in which every file begins at a multiple of 64 bytes, so that it can be read in
    place. All times are the first that a zip can hold, so that the same files give the same bytes.

    Args:
        files: Content by name; the first is the layer that readers open.
    """
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 0  # the same on every platform
            start = package.tell() + ZIP_HEADER + len(name.encode())
            entry.extra = padding_field(-(start + 4) % ALIGNMENT)
            archive.writestr(entry, content)
    return package.getvalue()


def padding_field(count: int) -> bytes:
    """Make an extra field of `count` bytes behind its own header of 4."""
    return struct.pack("<HH", PADDING, count) + bytes(count)
