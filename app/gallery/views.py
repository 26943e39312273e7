"""The page that shows every realtime style side by side; the styles are in ``gallery.styles``."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gallery.source import source
from gallery.styles import MATCH, ROOM, STYLES, Style

logger = logging.getLogger(__name__)


def gallery(request: HttpRequest) -> HttpResponse:
    """Show one card per style; those that this user may not use say what is missing."""
    cards = [
        {"style": style, "code": _code(style), "missing": _missing(style, request.user)}
        for style in STYLES
    ]
    return render(request, "gallery/gallery.html", {"cards": cards, "match": MATCH, "room": ROOM})


def _missing(style: Style, user: Any) -> str:
    """Return what keeps ``user`` from this card: "login", "staff" or nothing."""
    if style.needs and not user.is_authenticated:
        return "login"
    return "staff" if style.needs == "staff" and not user.is_staff else ""


def _code(style: Style) -> str:
    try:
        return "\n\n\n".join(source(name) for name in style.code)
    except (LookupError, OSError) as error:  # a page without one example beats no page
        logger.error("the code of the card %s cannot be shown: %s", style.slug, error)
        return ""
