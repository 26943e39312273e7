"""The address of Redis, with its password where it has one."""

from __future__ import annotations

from urllib.parse import quote


def with_password(url: str, password: str) -> str:
    """Return ``url`` with ``password`` in it; as it is without one, or where it has one.

    Settings put it together so that no unit's environment holds it.
    """
    scheme, _, rest = url.partition("://")
    if not password or "@" in rest.partition("/")[0]:
        return url
    return f"{scheme}://:{quote(password, safe='')}@{rest}"
