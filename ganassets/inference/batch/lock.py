"""Lock an open file; the system releases the lock when the process ends, for any reason."""

from __future__ import annotations

import errno
import os
import sys
import time

# Seconds to wait for a lock: a child process that is starting holds its parent's locks for a moment.
PATIENCE = 1.0
PAUSE = 0.05  # seconds between tries
UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def lock_file(handle: int, seconds: float = PATIENCE) -> bool | None:
    """Lock an open file.

    Args:
        handle: Descriptor of the file.
        seconds: Time to wait for another process that holds the lock.

    Returns:
        Whether this process holds the lock now; None where the file system has no locks.

    Raises:
        OSError: The file can't be locked for another reason.
    """
    deadline = time.monotonic() + seconds
    while (held := _try(handle)) is False and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return held


if sys.platform == "win32":
    import msvcrt

    FAR = 2**40  # position of the locked byte: other processes can't read it, so it lies beyond the end of any file

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
