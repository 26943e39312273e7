"""The upload page's address."""

from django.urls import path

from uploads.views import upload

urlpatterns = [path("", upload, name="upload")]
