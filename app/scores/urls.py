"""The pages of a match."""

from django.urls import path

from scores import views

urlpatterns = [
    path("<slug:match>/", views.match, name="match"),
    path("<slug:match>/state/", views.state, name="match-state"),
]
