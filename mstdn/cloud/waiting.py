"""The one place where provisioning waits, so that a test can watch it instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

PAUSE_SECONDS = 5.0
sleep = time.sleep
clock = time.monotonic


def pause(seconds: float) -> None:
    """Do nothing for so long."""
    sleep(seconds)


def patiently(look: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """What `look` complains about at last: nothing, or what is still so after `seconds`."""
    begin = clock()
    while True:
        found = look()
        if not found or clock() - begin >= seconds:
            return found
        pause(PAUSE_SECONDS)
