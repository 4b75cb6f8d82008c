"""KTX 2.0 files (Khronos), which graphics processors read compressed: Basis Universal with all mipmaps.

The program basisu compresses; what the file says about itself goes into its key/value data afterwards.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence

from ganassets.api.errors import InputError
from ganassets.api.scratch import scratch_folder

PROGRAM = "basisu"
SECONDS = 600.0
ALWAYS = ("-ktx2", "-mipmap", "-no_multithreading")  # several threads needn't give the same bytes
# UASTC: in the smaller ETC1S edges show. Colours may lose what the eye doesn't miss, for files a third smaller.
COLOUR = ("-uastc", "-uastc_rdo_l", "1", "-uastc_rdo_m")
NORMAL, DATA = ("-uastc", "-normal_map", "-mip_renorm"), ("-uastc", "-linear")
CLAMPED = ("-mip_clamp",)

# Header: identifier and 9 numbers; then the index (specification 2.0, section 3).
INDEX, LEVELS, LEVEL_COUNT = 48, 80, 40
KEY_VALUE, GLOBAL = INDEX + 8, INDEX + 16  # offset and length: 32-bit numbers of the first, 64-bit of the second
ALIGNMENT = 16


def encode_ktx2(png: bytes, flags: Sequence[str], notes: Mapping[str, str]) -> bytes:
    """A KTX2 file of a PNG file.

    Args:
        png: 8 bits a channel.
        flags: of basisu.
        notes: text by keyword.

    Raises:
        InputError: basisu is not installed, or it failed.
    """
    program = shutil.which(PROGRAM)
    if not program:
        raise InputError(
            f"KTX2 needs Basis Universal's program {PROGRAM} on the PATH; install it, or choose --option format=png."
        )
    with scratch_folder("ganassets-ktx2-") as folder:
        source, target = folder / "in.png", folder / "out.ktx2"
        source.write_bytes(png)
        command = [program, *ALWAYS, *flags, "-file", source, "-output_file", target]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except OSError as error:
            raise InputError(f"{program} can't be run ({error.strerror}); install Basis Universal anew.") from error
        if done.returncode or not target.exists():
            words = (done.stderr or done.stdout).strip().splitlines()
            raise InputError(f"{PROGRAM} couldn't write KTX2: {words[-1] if words else 'it said nothing'}.")
        return with_notes(target.read_bytes(), notes)


def with_notes(content: bytes, notes: Mapping[str, str]) -> bytes:
    """A KTX2 file with more key/value data. What lies behind that moves by a multiple of ALIGNMENT, which keeps every
    part aligned: the last note ends in as many blanks as this takes.
    """
    start, length = struct.unpack_from("<2I", content, KEY_VALUE)
    old = read_notes(content[start : start + length])
    for blanks in range(0, ALIGNMENT, 4):
        padded = {key: text + " " * blanks * (key == list(notes)[-1]) for key, text in notes.items()}
        data = write_notes({**old, **{key: text.encode() + b"\0" for key, text in padded.items()}})
        if (len(data) - length) % ALIGNMENT == 0:
            break
    moved = len(data) - length
    header = bytearray(content[:start])
    struct.pack_into("<2I", header, KEY_VALUE, start, len(data))
    levels = max(1, *struct.unpack_from("<I", header, LEVEL_COUNT))
    for place in (GLOBAL, *range(LEVELS, LEVELS + 24 * levels, 24)):
        (offset,) = struct.unpack_from("<Q", header, place)
        struct.pack_into("<Q", header, place, offset + moved if offset else 0)
    return bytes(header) + data + content[start + length :]


def read_notes(data: bytes) -> dict[str, bytes]:
    """Values by key."""
    found, at = {}, 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        key, _, value = data[at + 4 : at + 4 + length].partition(b"\0")
        found[key.decode()] = value
        at += 4 + length + -length % 4
    return found


def write_notes(notes: Mapping[str, bytes]) -> bytes:
    """Key/value data, sorted by key as the format wants it."""
    entries = (key.encode() + b"\0" + value for key, value in sorted(notes.items()))
    return b"".join(struct.pack("<I", len(entry)) + entry + bytes(-len(entry) % 4) for entry in entries)
