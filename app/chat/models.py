"""Rooms and their messages, numbered within the room without a hole."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models, transaction


class Room(models.Model):
    """A chat room, made by its first message."""

    name = models.CharField(max_length=50, unique=True)
    last_number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Message(models.Model):
    """One message.

    ``number`` counts 1, 2, 3, … within the room in the order of commits, because it
    is taken under the room's row lock.  A sequence would not do: number 8 may then be
    visible before number 7, and whoever resumes from 8 never sees 7.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    number = models.PositiveBigIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField(max_length=settings.CHAT_MESSAGE_MAX_CHARACTERS)
    sent_at = models.DateTimeField(auto_now_add=True)
    key = models.UUIDField(default=uuid.uuid4)

    class Meta:
        """The constraints carry the promises: no double number, no message stored twice."""

        ordering = ("room", "number")
        constraints = (
            models.UniqueConstraint(fields=("room", "number"), name="one_message_per_number"),
            models.UniqueConstraint(fields=("author", "key"), name="one_message_per_key"),
        )

    def __str__(self) -> str:
        """Return the beginning of the text."""
        return f"{self.room_id}#{self.number}: {self.text[:40]}"

    def as_json(self) -> dict[str, Any]:
        """Return the message as sockets carry it: ``{"id", "message", "user", "sent_at"}``."""
        return {
            "id": self.number,
            "message": self.text,
            "user": self.author.get_username(),
            "sent_at": self.sent_at.isoformat(),
        }


def post(room: str, author: Any, text: str, key: uuid.UUID | None = None) -> Message:
    """Store a message and return it.

    With a ``key`` that this author has used before, the first message is returned and
    nothing is stored: a client that does not know whether its message arrived can
    send it again.
    """
    Room.objects.get_or_create(name=room)
    with transaction.atomic():
        locked = Room.objects.select_for_update().get(name=room)
        if key:
            known = Message.objects.select_related("author").filter(author=author, key=key).first()
            if known:
                return known
        locked.last_number += 1
        locked.save(update_fields=["last_number"])
        return Message.objects.create(
            room=locked,
            number=locked.last_number,
            author=author,
            text=text,
            key=key or uuid.uuid4(),
        )


def last_numbers(rooms: list[str]) -> dict[str, int]:
    """Return the number of the newest message of each of ``rooms`` that exists."""
    return dict(Room.objects.filter(name__in=rooms).values_list("name", "last_number"))


def messages_after(room: str, number: int, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` messages that follow ``number``, oldest first, as JSON objects."""
    found = Message.objects.filter(room__name=room, number__gt=number).select_related("author")
    return [message.as_json() for message in found.order_by("number")[:limit]]


def messages_before(room: str, number: int, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` messages that precede ``number``, oldest first, as JSON objects."""
    found = Message.objects.filter(room__name=room, number__lt=number).select_related("author")
    return [message.as_json() for message in reversed(found.order_by("-number")[:limit])]
