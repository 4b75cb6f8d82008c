# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock an open file; the system releases the lock when Blender ends, even after a crash. Needs no bpy."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def take_lock(handle: int) -> bool:
        """Try to lock an open file; False if another process holds the lock."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def take_lock(handle: int) -> bool:
        """Try to lock an open file; False if another process holds the lock."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
