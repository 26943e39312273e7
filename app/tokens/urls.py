"""The address of tokens."""

from django.urls import path

from tokens.views import socket_token

urlpatterns = [path("socket-token/", socket_token, name="socket-token")]
