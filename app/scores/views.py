"""The score's page, its writer, and the address that polling reads."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from scores.announce import announce
from scores.forms import ScoreForm
from scores.models import Match


def match(request: HttpRequest, match: str) -> HttpResponse:
    """Show the score; staff may POST a new one."""
    found = get_object_or_404(Match, slug=match)
    form = ScoreForm(instance=found)
    if request.method == "POST":
        if not request.user.is_staff:
            raise PermissionDenied
        with transaction.atomic():
            locked = Match.objects.select_for_update().get(pk=found.pk)
            form = ScoreForm(request.POST, instance=locked)
            if form.is_valid():
                locked.version += 1
                form.save()
        if form.is_valid():
            announce(locked)
            return redirect("match", match=match)
        found.refresh_from_db()
    error = next((f"{name}: {text[0]}" for name, text in form.errors.items()), "")
    context = {"match": found, "form_error": error, "can_write": request.user.is_staff}
    return render(request, "scores/match.html", context, status=400 if form.errors else 200)


@never_cache
def state(request: HttpRequest, match: str) -> JsonResponse:
    """Return the score as JSON."""
    return JsonResponse(get_object_or_404(Match, slug=match).as_json())
