"""The addresses of the example site; those of Channels' consumers are in ``config.asgi``."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

urlpatterns = [
    path("", include("pages.urls")),
    path("", include("showcase.urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("accounts/", include("tokens.urls")),
    path("admin/", admin.site.urls),
    path("chat/", include("chat.urls")),
    path("gallery/", include("gallery.urls")),
    path("health/", include("tandem.health.urls")),
    path("notifications/", include("notifications.urls")),
    path("scores/", include("scores.urls")),
    path("upload/", include("uploads.urls")),
    # Both are empty unless DEBUG: nginx serves these files.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    *staticfiles_urlpatterns(),
]
