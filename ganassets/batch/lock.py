"""A lock on an open file that the system gives back when the process ends, however it does."""

from __future__ import annotations

import os
import sys
import time

# A process that is just being started holds its parent's locks for a moment, even when the parent has ended.
MOMENT = 1.0  # seconds
PAUSE = 0.05


def take(handle: int, seconds: float = MOMENT) -> bool:
    """Whether this process has the lock of an open file now; False where another one keeps it for so many seconds."""
    deadline = time.monotonic() + seconds
    while not (held := _try(handle)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return held


if sys.platform == "win32":
    import msvcrt

    FAR = 2**40  # a locked byte can't be read by others, so it is one that no file has

    def _try(handle: int) -> bool:
        os.lseek(handle, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system that knows no locks must not stop everybody
        return True
