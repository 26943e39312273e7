"""Matches in the admin."""

from django.contrib import admin

from scores.models import Match

admin.site.register(Match)
