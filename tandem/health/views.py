"""Liveness: this process answers.  Readiness: so do all that it depends on."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tandem.health import checks


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """200 whenever the process can answer at all."""
    status, body = checks.live()
    return JsonResponse(body, status=status)


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when every check passes, else 503 naming those that do not and why."""
    status, body = checks.ready()
    return JsonResponse(body, status=status)
