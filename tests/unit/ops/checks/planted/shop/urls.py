"""The addresses, one of them of a socket."""

from django.urls import path

from shop import api, blocking, orm, state, views
from shop.consumers import Room

urlpatterns = [
    path("one/", orm.one),
    path("many/", orm.many),
    path("slow/", blocking.slow),
    path("lazy/", blocking.lazy),
    path("export/", views.export),
    path("dump/", views.dump),
    path("document/", views.document),
    path("wrapped/", views.wrapped),
    path("orders/", api.Orders.as_view()),
    path("ws/room/", Room.as_asgi()),  # W016
]
kept = state.current
