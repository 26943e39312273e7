"""Messages in the admin, to read and to delete."""

from django.contrib import admin

from chat.models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Newest first."""

    list_display = ("room", "number", "author", "sent_at", "text")
    list_filter = ("room",)
    list_select_related = ("room", "author")
    ordering = ("-sent_at",)
    readonly_fields = ("room", "number", "author", "sent_at", "key")
