"""Everything else that stops the event loop."""

import subprocess
import time
import urllib.request
from time import sleep as nap

import httpx
from django.core.mail import send_mail
from django.http import HttpResponse

from shop.services import recent


async def slow(request):  # W042
    """Wait in every way."""
    time.sleep(1)  # W032
    nap(1)  # W032
    httpx.get("https://example.org", timeout=5)  # W033
    urllib.request.urlopen("https://example.org")  # W033
    send_mail("a", "b", "c@example.org", ["d@example.org"])  # W033
    with open("/etc/hostname") as file:  # W034
        name = file.read()
    subprocess.run(["true"])  # W035
    return HttpResponse(name + helped())


async def lazy(request):  # W042
    """Look at what loads itself."""
    name = request.user.get_username()  # W036
    seen = request.session.get("seen")  # W036
    return HttpResponse(f"{name} {seen} {request.environ} {recent()}")  # W053


def helped():
    """Wait for whoever calls it."""
    nap(2)  # W032
    return ""
