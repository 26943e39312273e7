"""The ASGI application, served by Uvicorn: WebSockets, and any HTTP path routed here."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()  # before any import that needs the app registry

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from chat.routing import websocket_urlpatterns as chat  # noqa: E402
from scores.routing import websocket_urlpatterns as scores  # noqa: E402
from showcase.routing import websocket_urlpatterns as showcase  # noqa: E402
from tandem.asgi import serve  # noqa: E402
from tandem.limits import SocketQuota  # noqa: E402
from tandem.websocket import WebSocketMiddleware  # noqa: E402

# Channels' consumers first; every other socket is looked for in the URLconf.
urlconf = WebSocketMiddleware(django_application)
sockets = SocketQuota(
    URLRouter([*chat, *scores, *showcase, re_path(r"", urlconf)]), settings.SOCKETS_PER_USER
)
application = serve(
    ProtocolTypeRouter(
        {
            "http": django_application,
            # nginx has refused foreign origins already; a site must not depend on its proxy.
            "websocket": OriginValidator(AuthMiddlewareStack(sockets), settings.ORIGINS),
        }
    )
)
