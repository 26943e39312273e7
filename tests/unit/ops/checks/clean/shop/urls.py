"""The addresses."""

from django.urls import path

from shop import orm, views, waiting

urlpatterns = [
    path("one/", orm.one),
    path("many/", orm.many),
    path("plain/", orm.plain),
    path("slow/", waiting.slow),
    path("lazy/", waiting.lazy),
    path("export/", views.export),
    path("document/", views.document),
    path("wrapped/", views.wrapped),
    path("same/", views.Same.as_view()),
]
