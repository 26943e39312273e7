"""Values that replace a site's own, in the types that its code was written for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# A value of one of a group can be made of one of another of that group.
GROUPS: tuple[tuple[type, ...], ...] = ((str, Path), (list, tuple, set, frozenset), (dict,))


def alike(old: Any, new: Any) -> Any:
    """Return ``new`` as a value of the type of ``old``, where that can hold it.

    A site that says ``MEDIA_ROOT / "small"`` or ``ALLOWED_HOSTS + [name]`` goes on doing so.
    """
    # Of types alone: isinstance() would wake what is lazy (reverse_lazy, gettext_lazy), and that
    # waits for applications that need the settings.
    kind = type(old)
    if kind is not type(new) and any(
        issubclass(kind, group) and issubclass(type(new), group) for group in GROUPS
    ):
        # What cannot be made of one value alone, as a defaultdict, stays plain.
        with suppress(Exception):
            return kind(new)
    return new


def replaced(value: Any, change: Callable[[Any, str], Any], key: str = "") -> Any:
    """Return ``value`` with ``change(part, key)`` for each part of it, ``key`` being its own.

    What ``change`` returns itself is looked into, if it holds other parts; what has no change in
    it is returned itself.
    """
    new = change(value, key)
    kind = type(value)
    if new is not value:
        return new
    if issubclass(kind, dict):
        pairs = {name: replaced(one, change, str(name)) for name, one in value.items()}
        return alike(value, pairs) if any(pairs[k] is not value[k] for k in pairs) else value
    if issubclass(kind, list | tuple) and not hasattr(kind, "_fields"):
        items = [replaced(one, change, key) for one in value]
        changed = any(a is not b for a, b in zip(items, value, strict=True))
        return alike(value, items) if changed else value
    return value
