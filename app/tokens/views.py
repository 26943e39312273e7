"""The address where a page gets a token for its sockets."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tokens.tokens import token_for


@never_cache
@require_POST
def socket_token(request: HttpRequest) -> JsonResponse:
    """Give ``{"token", "expires_in"}`` to whoever is logged in, 401 to others.

    Not a redirect to the login page: a program asks, not a person.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"error": "not-logged-in"}, status=401)
    token = token_for(request.user, request.session.session_key)
    answer = {"token": token, "expires_in": settings.SESAME_MAX_AGE}
    return JsonResponse(answer)
