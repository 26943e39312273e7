"""Looks harmless to whoever imports it."""

import time

from shop.models import Order


def recent():
    """Ask for a few."""
    return list(Order.objects.all()[:3])  # W031


def rested():
    """Ask by another, and wait."""
    time.sleep(1)  # W032
    return recent()
