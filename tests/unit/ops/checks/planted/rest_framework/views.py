"""A stand-in for REST framework, which the tests need not install."""

from django.views import View


class APIView(View):
    """Calls its handlers synchronously."""

    view_is_async = False
