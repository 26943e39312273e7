"""The page's address."""

from django.urls import path

from notifications.views import changes

urlpatterns = [path("", changes, name="notifications")]
