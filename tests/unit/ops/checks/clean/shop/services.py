"""For threads."""

import time

from asgiref.sync import sync_to_async

from shop.models import Order


def recent():
    """Ask for a few."""
    time.sleep(1)
    return list(Order.objects.all()[:3])


arecent = sync_to_async(recent)


@sync_to_async
def first():
    """Ask for one."""
    return Order.objects.first()
