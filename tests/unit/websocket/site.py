"""A URLconf with a view of every sort, for the tests beside it."""

from __future__ import annotations

import threading

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tandem.websocket import DisconnectedError, WebSocket, websocket
from tandem.websocket.legacy import accept_websocket, require_websocket
from tests.machine import HANG_SECONDS

seen: list[object] = []  # what views found out
release = threading.Event()


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for message in socket:
        await (socket.send_text if isinstance(message, str) else socket.send_bytes)(message)
    seen.append("echo ended")


async def greet(socket: WebSocket, name: str, greeting: str = "hello") -> None:
    await socket.accept()
    await socket.send_json({"said": f"{greeting} {name}", "user": str(socket.user)})


async def refuse(socket: WebSocket) -> None:
    await socket.close()


async def forgetful(socket: WebSocket) -> None:
    """Neither accept nor close."""


async def fails_early(socket: WebSocket) -> None:
    raise RuntimeError("early")


async def fails_late(socket: WebSocket) -> None:
    await socket.accept()
    raise RuntimeError("late")


async def insists(socket: WebSocket) -> None:
    """Read although the client may have gone."""
    await socket.accept()
    while True:
        await socket.receive()


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


@accept_websocket
def lower_case(request):
    if not request.is_websocket():
        return HttpResponse(request.GET["message"].lower())
    for message in request.websocket:
        request.websocket.send(message.lower())
    seen.append("lower_case ended")
    return None


@require_websocket
def two_at_once(request):
    first = request.websocket.wait()
    while request.websocket.count_messages() < 1:
        pass
    assert request.websocket.has_messages()
    request.websocket.send(f"{first} {request.websocket.read()}")
    request.websocket.send(str(request.websocket.read()))


@require_websocket
def holds(request):
    request.websocket.send("held")
    release.wait(HANG_SECONDS)


@require_websocket
def shuts(request):
    request.websocket.close()
    request.websocket.close()
    seen.append((request.websocket.wait(), request.websocket.wait()))


@require_websocket
def talks(request):
    while True:
        request.websocket.send("on and on")


@require_websocket
def silent(request):
    """Do not touch the socket."""


@require_websocket
def exits(request):
    raise SystemExit("a view that calls sys.exit()")


@require_websocket
def lingers(request):
    """Take no notice of the end, for a while."""
    for message in request.websocket:
        seen.append(message)
    release.wait(HANG_SECONDS)
    try:
        request.websocket.send("anybody?")
    except DisconnectedError as error:
        seen.append(error.code)


@require_websocket
def hoards(request):
    request.websocket.count_messages()
    release.wait(HANG_SECONDS)
    seen.append(list(request.websocket))


@require_websocket
def breaks(request):
    raise RuntimeError("broken view")


@require_websocket
def breaks_late(request):
    request.websocket.send("well so far")
    raise RuntimeError("broken view")


@login_required
@require_websocket
def members(request):
    request.websocket.send(request.user.get_username())


@require_websocket
def forbids_late(request):
    request.websocket.send("perhaps")
    return HttpResponse(status=403)


def undecorated(request):
    if request.is_websocket():
        request.websocket.send(b"bytes, too")
        return None
    return HttpResponse(f"websocket: {request.websocket}")


legacy = [
    lower_case, two_at_once, holds, shuts, talks, silent, breaks, breaks_late, members, exits,
    lingers, hoards,
]  # fmt: skip
urlpatterns = [
    websocket("ws/echo/", echo),
    path("ws/", include([websocket("greet/<name>/", greet, {"greeting": "good day"}, "greet")])),
    websocket("ws/refuse/", refuse),
    websocket("ws/forgetful/", forgetful),
    websocket("ws/fails-early/", fails_early),
    websocket("ws/fails-late/", fails_late),
    websocket("ws/insists/", insists),
    path("page/", page),
    path("legacy/undecorated/", undecorated),
    path("legacy/forbids_late/", forbids_late),
    *(path(f"legacy/{view.__name__}/", view) for view in legacy),
]
