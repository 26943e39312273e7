"""Reading the client's frames; docs/chat.md describes them."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

NEWEST = 2**63 - 1  # as large as the id of a message can be


class FrameError(Exception):
    """A frame that cannot be obeyed; ``code`` is for programs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code

    def as_json(self, frame: Any) -> dict[str, Any]:
        """Return the answer to ``frame``: ``{"error", "detail"}``, and its key if it has one."""
        answer = {"error": self.code, "detail": str(self)}
        if isinstance(frame, dict) and isinstance(frame.get("key"), str):
            answer["key"] = frame["key"]
        return answer


def parse(text: str | None) -> dict[str, Any]:
    """Return the object that a text frame holds.  All of these raise ``FrameError``."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise FrameError("not-json", "Send a JSON object as a text frame.") from None
    try:
        # JSON can spell half a character (\ud800), which neither a database nor a socket takes.
        json.dumps(frame, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FrameError("not-text", "A text holds half a surrogate pair.") from None
    if not isinstance(frame, dict):
        raise FrameError("not-an-object", "Send a JSON object.")
    return frame


def message(frame: dict[str, Any]) -> tuple[str, uuid.UUID | None]:
    """Return text and key of ``{"message": …, "key": …}``."""
    text = frame["message"]
    limit = settings.CHAT_MESSAGE_MAX_CHARACTERS
    # PostgreSQL cannot store NUL in a text.
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise FrameError("bad-message", "message is a text that is not empty.")
    if len(text) > limit:
        raise FrameError("too-long", f"A message has at most {limit} characters.")
    if "key" not in frame:
        return text, None
    try:
        return text, uuid.UUID(frame["key"])
    except (ValueError, AttributeError, TypeError):
        raise FrameError("bad-key", "key is a UUID.") from None


def after(query: str) -> int | None:
    """Return the id in a query's ``after=17``; ``None``: it has none."""
    value = parse_qs(query).get("after", [""])[0]
    if not value.isdecimal():
        return None
    # Beyond any id, however many digits it has (Python refuses to read some thousand).
    return min(int(value), NEWEST) if len(value) < 20 else NEWEST


def number(frame: dict[str, Any], name: str) -> int:
    """Return the id of a message in ``{name: 17}``."""
    value = frame[name]
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > NEWEST:
        raise FrameError(f"bad-{name}", f"{name} is the id of a message.")
    return max(0, value)
