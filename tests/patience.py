"""Wait for what must come, without any limit in seconds but the one of a hang."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.machine import HANG_SECONDS


async def eventually(condition: Callable[[], Any]) -> None:
    """Return as soon as ``condition()`` is true; raises ``AssertionError`` if it hangs."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so within {HANG_SECONDS} s"
        await asyncio.sleep(0.005)


def eventually_sync(condition: Callable[[], Any]) -> None:
    """Do the same where there is no event loop."""
    asyncio.run(eventually(condition))
