# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock on an open file that the system gives back when Blender ends, however it does. No bpy."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def take(handle: int) -> bool:
        """Whether this Blender has the lock now; False where another one has it."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def take(handle: int) -> bool:
        """Whether this Blender has the lock now; False where another one has it."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
