"""The chat's pages."""

from django.urls import path, re_path

from chat import views

ROOM = r"[a-zA-Z0-9_-]{1,50}"  # what a channel-layer group name may hold

urlpatterns = [
    path("", views.find, name="chat"),
    re_path(rf"^(?P<room>{ROOM})/$", views.room, name="chat-room"),
]
