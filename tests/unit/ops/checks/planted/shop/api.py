"""REST framework with a coroutine for a handler."""

from rest_framework.views import APIView


class Orders(APIView):
    """Orders."""

    async def get(self, request):  # W043
        """Answer never."""
