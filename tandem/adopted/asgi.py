"""The ASGI application of an adopted site."""

from django.core.asgi import get_asgi_application

from tandem.adopted.application import application as find

site = find("SITE_ASGI", get_asgi_application)

from tandem.adopted import health  # noqa: E402 - its checks need the app registry
from tandem.asgi import serve  # noqa: E402

application = serve(health.asgi(site))
