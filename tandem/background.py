"""Background tasks that must not end: begun again when they fail, and known to readiness."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5  # before it is begun again; doubles up to
LONGEST_WAIT_SECONDS = 5.0
SETTLED_SECONDS = 5.0  # of work without a failure, after which it counts as well again

# Name of a task and the class of the exception that has ended it, until it is well again.
failing: dict[str, str] = {}


def lasting(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """Run ``work()`` until it returns or the task is cancelled, whatever it raises meanwhile.

    While it fails, ``failing`` has its name and ``tandem.health`` says that this process is
    not ready.  It runs in a context of its own: it outlives the request that starts it.
    """
    return asyncio.create_task(_last(name, work), name=name, context=contextvars.Context())


async def _last(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop, wait = asyncio.get_running_loop(), FIRST_WAIT_SECONDS
    try:
        while True:
            began = loop.time()
            settled = loop.call_later(SETTLED_SECONDS, failing.pop, name, None)
            # A task of its own: a library that cancels the task it runs in (before Python 3.13
            # a TaskGroup does) must not be taken for somebody who wants this to end.
            running = asyncio.create_task(work())
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                running.cancel()
                await asyncio.wait({running})
                raise
            finally:
                settled.cancel()
            if not running.cancelled() and (error := running.exception()) is None:
                return
            why = asyncio.CancelledError() if running.cancelled() else error
            failing[name] = type(why).__name__
            logger.error("%s failed and begins again", name, exc_info=why)
            if loop.time() - began >= SETTLED_SECONDS:
                wait = FIRST_WAIT_SECONDS
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
    finally:
        failing.pop(name, None)
