"""The addresses of the plain site."""

from django.urls import include, path

urlpatterns = [path("health/", include("tandem.health.urls"))]
