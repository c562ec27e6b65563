"""A clock that is never set back or forward."""

from __future__ import annotations

import time
from typing import Final

_BOOTTIME: Final = getattr(time, "CLOCK_BOOTTIME", None)


def steady_seconds() -> float:
    """Give seconds since some moment: setting the wall clock changes nothing, and time spent suspended counts.

    Where the system has no such clock (it is Linux's), time spent suspended may not count.
    """
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
