"""A lock on an open file that the system gives back when the process ends, however it does."""

from __future__ import annotations

import errno
import os
import sys
import time

# A process that is just being started holds its parent's locks for a moment, even when the parent has ended.
MOMENT = 1.0  # seconds
PAUSE = 0.05
UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def lock_file(handle: int, seconds: float = MOMENT) -> bool | None:
    """Take the lock of an open file.

    Args:
        handle: descriptor of the file.
        seconds: to wait for another process that has it.

    Returns:
        whether this process has the lock now; None where the file system knows no locks, which must stop nobody.

    Raises:
        OSError: the file can't be locked for another reason.
    """
    deadline = time.monotonic() + seconds
    while (held := _try(handle)) is False and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return held


if sys.platform == "win32":
    import msvcrt

    FAR = 2**40  # a locked byte can't be read by others, so it is one that no file has

    def _try(handle: int) -> bool | None:
        os.lseek(handle, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(handle: int) -> bool | None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in UNSUPPORTED:
                return None
            raise
        return True
