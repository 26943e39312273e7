"""The chat page: rendered by the WSGI side, live by the ASGI side."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch

from chat.announce import announce_from_sync
from chat.models import Message, post


@login_required
def find(request: HttpRequest) -> HttpResponse:
    """Go to the room named in ``?room=``, or to the lobby."""
    try:
        return redirect("chat-room", room=request.GET.get("room") or "lobby")
    except NoReverseMatch:
        return redirect("chat-room", room="lobby")


@login_required
def room(request: HttpRequest, room: str) -> HttpResponse:
    """Show the newest messages; POST ``message`` speaks without JavaScript."""
    error = ""
    if request.method == "POST":
        text = request.POST.get("message", "").replace("\0", "")
        if not text.strip():
            error = "Write something first."
        elif len(text) > settings.CHAT_MESSAGE_MAX_CHARACTERS:
            error = f"A message has at most {settings.CHAT_MESSAGE_MAX_CHARACTERS} characters."
        else:
            announce_from_sync(room, post(room, request.user, text).as_json())
            return redirect("chat-room", room=room)
    newest = Message.objects.filter(room__name=room).select_related("author").order_by("-number")
    shown = list(reversed(newest[: settings.CHAT_HISTORY]))
    context = {
        "room": room,
        "messages_list": shown,
        "last_id": shown[-1].number if shown else 0,
        "form_error": error,
    }
    return render(request, "chat/room.html", context, status=400 if error else 200)
