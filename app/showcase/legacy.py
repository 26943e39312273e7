"""S3: synchronous views as django-websocket had them, unchanged."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tandem.websocket.legacy import accept_websocket, require_websocket


@require_websocket
def echo_once(request: HttpRequest) -> HttpResponse | None:
    """Send one message back; plain HTTP gets 400."""
    message = request.websocket.wait()
    if message is not None:
        request.websocket.send(message)
    return None


@accept_websocket
def lower_case(request: HttpRequest) -> HttpResponse | None:
    """Send each message back in lower case."""
    if not request.is_websocket():
        return HttpResponse(request.GET.get("message", "").lower(), content_type="text/plain")
    for message in request.websocket:
        request.websocket.send(message.lower())
    return None
