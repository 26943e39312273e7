"""What its author has thought about."""

import threading

from shop.models import Order

pool = threading.local()  # tandem: ignore[W038] one client for each thread, no request's


async def known(request):
    """Ask although."""
    Order.objects.get(pk=1)  # tandem: ignore[W031,W032] runs with its own loop
    return Order.objects.last()  # tandem: ignore[W099] another kind  # W031
