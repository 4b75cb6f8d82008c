"""Arrays that a model file carries for its plugin beside the network, such as the exemplars of a user's materials.

They are stored in the file's metadata, under their own key, as a zip of NumPy's files in base64.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
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
            np.lib.format.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
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
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(text, validate=True))) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ARRAYS or sum(entry.file_size for entry in entries) > MAX_ARRAY_BYTES:
                raise InputError(f"{where} carries arrays larger than {MAX_ARRAY_BYTES // 2**20} MB.")
            return {entry.filename: _read_array(archive, entry) for entry in entries}
    except (binascii.Error, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise InputError(f"{where} carries damaged arrays; copy or export it again.") from error


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, at most as many bytes as its entry declares; ValueError when it isn't plain finite numbers."""
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    if array.dtype.kind not in KINDS or not np.isfinite(array).all():
        raise ValueError("an array holds no plain numbers")
    return array
