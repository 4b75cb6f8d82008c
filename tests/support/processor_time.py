"""Processor time, compared within one run: no test asserts a number of seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 3


def processor_time(call: Callable[[], object]) -> float:
    """Seconds of the processor that a call takes, the least of some tries; to compare with those of another call."""
    times = []
    for _ in range(TRIES):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)
