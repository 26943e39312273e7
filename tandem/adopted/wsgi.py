"""The WSGI application of an adopted site."""

from django.core.wsgi import get_wsgi_application

from tandem.adopted.application import application as find

site = find("SITE_WSGI", get_wsgi_application)

from tandem.adopted import health, prefix  # noqa: E402 - its checks need the app registry

application = health.wsgi(prefix.wsgi(site))
