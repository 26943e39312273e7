"""Reading settings from the environment and secrets from systemd credentials."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from tandem.origins import words


def integer(name: str, default: int) -> int:
    """Return the whole number in variable ``name``, ``default`` where it is unset."""
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, got {value!r}.") from None


def names(name: str, default: str) -> list[str]:
    """Return the comma-separated words in variable ``name``."""
    return words(os.environ.get(name, default))


def secret(name: str, default: str | None = None) -> str:
    """Return the credential ``name`` (systemd.exec(5), ``LoadCredential=``).

    With a ``default`` it may be missing, without one ``ImproperlyConfigured`` says how
    to get it.

    Credentials are files in ``$CREDENTIALS_DIRECTORY``: unlike variables they do not
    show in ``/proc`` nor are they inherited by child processes.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if default is not None and (directory is None or not (Path(directory) / name).exists()):
        return default
    if directory is None:
        raise ImproperlyConfigured(
            f"the secret {name!r} is read from a file in $CREDENTIALS_DIRECTORY, which is not set; "
            "start the site by its unit or container, or with DJANGO_DEBUG=on (`make dev`)."
        )
    try:
        return (Path(directory) / name).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"cannot read the secret {name!r}: {error}; it is made at the first start."
        ) from None
