"""Values as the files of a server have them: ``tandem.ops.encode``, for templates."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tandem.ops import encode
from tandem.ops.adopt.model import TAKEN, VARIABLE

# What role site and the units give each process themselves.
OWN = {"TANDEM_LISTEN", "TANDEM_UPSTREAM", "TANDEM_INSTANCES", "TANDEM_INSTANCES_HERE"}


def environment(variables: Mapping[str, Any]) -> str:
    """Return variables as a file of systemd's has them, a line each unless one has line breaks.

    Raises ``AnsibleFilterError`` for a name that no variable can have, or that Tandem sets.
    """
    lines = []
    for name, value in variables.items():
        if not re.fullmatch(VARIABLE, str(name)):
            raise AnsibleFilterError(f"tandem_environment: {name!r} is no name of a variable")
        if name in TAKEN | OWN:
            raise AnsibleFilterError(f"tandem_environment: Tandem sets {name} itself; take it out")
        if not isinstance(value, str | int | float):
            raise AnsibleFilterError(
                f"tandem_environment: {name} must be a text or a number, got {value!r}"
            )
        try:
            lines.append(encode.systemd(name, str(value)))
        except ValueError as error:
            raise AnsibleFilterError(f"tandem_environment: {name} {error}") from None
    return "".join(f"{line}\n" for line in lines)


def secrets(values: Mapping[str, Any]) -> list[str]:
    """Return the names of secrets that a file and a variable can carry.

    Raises ``AnsibleFilterError`` for another; it does not quote the value.
    """
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            raise AnsibleFilterError(
                f"tandem_secrets: {name!r} is no name of a credential; use a-z, 0-9 and _"
            )
        if not isinstance(value, str) or not value.strip():
            raise AnsibleFilterError(f"tandem_secrets: {name} must be a text that is not empty")
        try:
            encode.text(value)
        except ValueError as error:
            raise AnsibleFilterError(f"tandem_secrets: {name} {error}") from None
        if value != value.strip():
            raise AnsibleFilterError(
                f"tandem_secrets: {name} begins or ends with white space, which some would not read"
            )
    return list(values)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "tandem_environment_file": environment,
            "tandem_secret_names": secrets,
            "tandem_redis_word": encode.redis,
            "tandem_postgresql_string": encode.postgresql,
        }
