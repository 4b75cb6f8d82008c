"""Encode KTX 2.0 files (Khronos), which graphics processors read compressed: Basis Universal with all mipmaps.

The program basisu compresses; afterwards the provenance is added to the file's key/value data.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence

from ganassets.api.errors import InputError, MissingDependencyError
from ganassets.api.scratch import scratch_folder

PROGRAM = "basisu"
TIMEOUT = 600.0  # seconds
COMMON_FLAGS = ("-ktx2", "-mipmap", "-no_multithreading")  # several threads may give other bytes each time
# UASTC, because ETC1S, which is smaller, shows edges. Colour loses details that the eye misses, which saves a third.
COLOUR_FLAGS = ("-uastc", "-uastc_rdo_l", "1", "-uastc_rdo_m")
NORMAL_FLAGS = ("-uastc", "-normal_map", "-mip_renorm")
DATA_FLAGS = ("-uastc", "-linear")
CLAMP_FLAGS = ("-mip_clamp",)

# Places in the file (specification 2.0, section 3): the header is an identifier and 9 numbers, then comes the index.
LEVEL_COUNT, INDEX, LEVELS = 40, 48, 80
KEY_VALUE, GLOBAL = INDEX + 8, INDEX + 16  # offset and length: 32-bit numbers of the first, 64-bit of the second
LEVEL_SIZE = 24  # bytes of an entry of the level index
ALIGNMENT = 16


def encode_ktx2(png: bytes, flags: Sequence[str], text: Mapping[str, str]) -> bytes:
    """Encode an image as KTX2.

    Args:
        png: The image as a PNG file with 8 bits a channel.
        flags: Arguments of basisu, beside COMMON_FLAGS.
        text: Text of the file by keyword.

    Raises:
        InputError: basisu is not installed, or it failed.
    """
    program = shutil.which(PROGRAM)
    if not program:
        raise MissingDependencyError(
            f"KTX2 needs the program {PROGRAM} of Basis Universal on the PATH. "
            "Install it, or choose --option format=png."
        )
    with scratch_folder("ganassets-ktx2-") as folder:
        source, target = folder / "in.png", folder / "out.ktx2"
        source.write_bytes(png)
        command = [program, *COMMON_FLAGS, *flags, "-file", source, "-output_file", target]
        try:
            process = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except OSError as error:
            raise InputError(f"{program} can't be run ({error.strerror}). Install Basis Universal again.") from error
        if process.returncode or not target.exists():
            output = (process.stderr or process.stdout).strip().splitlines()
            raise InputError(f"{PROGRAM} couldn't write KTX2: {output[-1] if output else 'it printed no reason'}.")
        return add_text(target.read_bytes(), text)


def add_text(content: bytes, text: Mapping[str, str]) -> bytes:
    """Add text to the key/value data of a KTX2 file.

    Everything behind these data moves by a multiple of ALIGNMENT, so that it stays aligned. To that end the last text
    is padded with spaces.
    """
    start, length = struct.unpack_from("<2I", content, KEY_VALUE)
    values = {**read_key_values(content[start : start + length]), **{key: f"{value}\0" for key, value in text.items()}}
    data = write_key_values(values)
    if text:
        last = list(text)[-1]
        values[last] = text[last] + " " * ((length - len(data)) % ALIGNMENT) + "\0"
        data = write_key_values(values)
    shift = len(data) - length
    header = bytearray(content[:start])
    struct.pack_into("<2I", header, KEY_VALUE, start, len(data))
    levels = max(1, *struct.unpack_from("<I", header, LEVEL_COUNT))
    for place in (GLOBAL, *range(LEVELS, LEVELS + LEVEL_SIZE * levels, LEVEL_SIZE)):
        (offset,) = struct.unpack_from("<Q", header, place)
        struct.pack_into("<Q", header, place, offset + shift if offset else 0)
    return bytes(header) + data + content[start + length :]


def read_key_values(data: bytes) -> dict[str, bytes]:
    """Parse key/value data into values by key."""
    values, at = {}, 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        key, _, value = data[at + 4 : at + 4 + length].partition(b"\0")
        values[key.decode()] = value
        at += 4 + length + -length % 4
    return values


def write_key_values(values: Mapping[str, bytes | str]) -> bytes:
    """Encode key/value data, sorted by key as the format requires; texts become UTF-8."""
    entries = (
        key.encode() + b"\0" + (value.encode() if isinstance(value, str) else value)
        for key, value in sorted(values.items())
    )
    return b"".join(struct.pack("<I", len(entry)) + entry + bytes(-len(entry) % 4) for entry in entries)
