"""``/live/`` and ``/ready/``; include under ``health/``."""

from django.urls import path

from tandem.health import views

urlpatterns = [
    path("live/", views.live, name="health-live"),
    path("ready/", views.ready, name="health-ready"),
]
