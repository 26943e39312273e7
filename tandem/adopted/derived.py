"""What a site's settings have made of a folder or an address that was laid over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tandem.adopted.alike import alike, replaced

FOLDERS = ("MEDIA_ROOT", "STATIC_ROOT")
ADDRESSES = ("MEDIA_URL", "STATIC_URL")


def derived(site: Mapping[str, Any], laid: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of ``site`` that were made of its own ``MEDIA_ROOT`` and its like.

    ``THUMBNAILS = MEDIA_ROOT / "small"`` was worked out before anything was laid over: it is
    a folder in the release, which is read-only, and nobody serves it.
    """
    here = Path.cwd()
    moved = {
        str(site[name]).rstrip("/"): str(laid[name]).rstrip("/")
        for name in (*FOLDERS, *ADDRESSES)
        if str(site.get(name) or "").startswith(("/", "http")) and laid.get(name)
    }
    # A root that holds the whole site is none that all below it could follow.
    moved = {
        old: new
        for old, new in moved.items()
        if old and old != new and not here.is_relative_to(old)
    }
    new = {
        name: replaced(value, lambda part, _: _follow(part, moved))
        for name, value in site.items()
        if name not in laid
    }
    return {name: value for name, value in new.items() if value is not site[name]}


def _follow(value: Any, moved: Mapping[str, str]) -> Any:
    """Return ``value``, if it is a path or an address, with its moved beginning."""
    if not issubclass(type(value), str | Path):  # isinstance() would wake what is lazy
        return value
    text = str(value)
    for old, new in moved.items():
        # What is there already came with the code, as sources in a folder below.
        if text == old or (text.startswith(f"{old}/") and not Path(text).exists()):
            return alike(value, new + text[len(old) :])
    return value
