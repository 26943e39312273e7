"""The page that shows admin changes as they happen."""

from __future__ import annotations

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from notifications.events import SOCKETS, newest_id


@staff_member_required(login_url="login")
def changes(request: HttpRequest) -> HttpResponse:
    """Show the page; what happens from now on comes over its socket."""
    context = {"path": SOCKETS, "after": newest_id()}
    return render(request, "notifications/changes.html", context)
