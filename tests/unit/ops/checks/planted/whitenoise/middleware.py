"""A stand-in for WhiteNoise, which the tests need not install."""


class WhiteNoiseMiddleware:
    """Synchronous only."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Serve."""
        return self.get_response(request)
