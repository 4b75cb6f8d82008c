"""Arrays that a model file carries for its plugin beside the network, such as the exemplars of a user's materials.

They are stored in the file's metadata, under their own key, as a zip of NumPy's files in base64.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

ARRAYS_KEY = "ganassets.arrays"
# Most bytes of all arrays together, and most arrays.
MAX_ARRAY_BYTES = 256 * 2**20
MAX_ARRAYS = 64
# Types of numbers that arrays may have.
KINDS = "biuf"
# Version of NumPy's file format.
VERSION = (1, 0)
# What reading a damaged zip or array raises.
DAMAGES = (
    zipfile.BadZipFile, zlib.error, binascii.Error, ValueError, EOFError, NotImplementedError, OSError, RuntimeError,
    SyntaxError, MemoryError, struct.error, LookupError,
)  # fmt: skip

ModelArrays = Mapping[str, NDArray[Any]]


def pack_arrays(arrays: ModelArrays) -> str:
    """Return arrays as text for a model file's metadata.

    >>> text = pack_arrays({"levels": np.arange(3, dtype=np.int8)})
    >>> unpack_arrays(text, "model.onnx")["levels"].tolist()
    [0, 1, 2]
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), version=VERSION, allow_pickle=False)
            # A fixed date, so that the same arrays give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), content.getvalue(), zipfile.ZIP_DEFLATED)
    return base64.b64encode(stream.getvalue()).decode()


def unpack_arrays(text: str, where: str) -> dict[str, NDArray[Any]]:
    """Read the arrays of a model file.

    Args:
        text: Text of pack_arrays.
        where: Name of the file, for messages.

    Raises:
        InputError: The text is damaged, or the arrays are larger than MAX_ARRAY_BYTES.
    """
    damaged = f"{where} carries damaged arrays; copy or export it again."
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(text, validate=True))) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS or sum(entry.file_size for entry in entries) > MAX_ARRAY_BYTES:
                most = f"{MAX_ARRAYS} arrays of {MAX_ARRAY_BYTES // 2**20} MB"
                raise InputError(f"{where} carries arrays larger than allowed: at most {most} together.")
            if len({entry.filename for entry in entries}) < len(entries):
                raise InputError(damaged)
            return {entry.filename: _read_array(archive, entry) for entry in entries}
    except DAMAGES as error:
        raise InputError(damaged) from error


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, at most as many bytes as its entry declares; ValueError when it isn't plain finite numbers."""
    with archive.open(entry) as file:
        stream = io.BytesIO(file.read(entry.file_size + 1))
    if np.lib.format.read_magic(stream) != VERSION:
        raise ValueError("an array of another version")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    # numpy allocates what the header declares before it reads.
    if math.prod(shape) * dtype.itemsize > entry.file_size:
        raise ValueError("an array is shorter than its shape")
    stream.seek(0)
    array = np.lib.format.read_array(stream, allow_pickle=False)
    if array.dtype.kind not in KINDS or not np.isfinite(array).all():
        raise ValueError("an array holds no plain numbers")
    return array
