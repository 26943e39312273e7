"""The same waiting, elsewhere than on the event loop."""

import asyncio
import subprocess
import time
from pathlib import Path

from asgiref.local import Local
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.http import HttpResponse

current = Local()


async def slow(request, open=None):
    """Wait in every way."""
    await asyncio.sleep(1)
    await asyncio.to_thread(time.sleep, 1)
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)
    await sync_to_async(subprocess.run)(["true"])
    if open:
        open("a parameter of this name opens no file")
    seen = await cache.aget("seen")
    return HttpResponse(f"{seen} {await asyncio.to_thread(_read)}")


def _read():
    time.sleep(1)
    return Path("/etc/hostname").read_text()


async def lazy(request):
    """Look at what is loaded first."""
    user = await request.auser()
    seen = await request.session.aget("seen")
    await sync_to_async(_greet)(request.user)
    return HttpResponse(f"{user.get_username()} {seen}")


def _greet(user):
    return user.get_username()
