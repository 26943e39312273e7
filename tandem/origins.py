"""Which Origins the site's own pages have: for nginx's check and for Django's."""

from __future__ import annotations

from collections.abc import Mapping


def words(value: str) -> list[str]:
    """Return the words of a comma-separated list."""
    return [word.strip() for word in value.split(",") if word.strip()]


def origins(settings: Mapping[str, str]) -> list[str]:
    """Return ``ALLOWED_ORIGINS``, or, where that is empty, https:// of each of ``SERVER_NAMES``.

    The port is ``HTTPS_PORT`` (443), which browsers leave out where it is 443.
    Raises ``KeyError`` when neither is set.
    """
    if given := words(settings.get("ALLOWED_ORIGINS", "")):
        return given
    port = settings.get("HTTPS_PORT", "443")
    suffix = "" if port == "443" else f":{port}"
    return [f"https://{name}{suffix}" for name in words(settings["SERVER_NAMES"])]
