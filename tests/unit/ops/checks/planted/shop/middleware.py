"""Middleware of one sort only."""


class SlowMiddleware:  # W021
    """Synchronous only."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Serve."""
        return self.get_response(request)


class EagerMiddleware:  # W024
    """Asynchronous only."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        """Serve."""
        return await self.get_response(request)
