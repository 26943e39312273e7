"""The one limit in seconds of tests that are about something else than time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

# What has not come by then hangs.  No machine is so busy that a right answer takes longer.
HANG_SECONDS = 60.0


async def eventually(condition: Callable[[], Any]) -> None:
    """Return as soon as ``condition()`` is true; raises ``AssertionError`` if it hangs."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so within {HANG_SECONDS} s"
        await asyncio.sleep(0.005)


def eventually_sync(condition: Callable[[], Any]) -> None:
    """Do the same where there is no event loop."""
    asyncio.run(eventually(condition))
