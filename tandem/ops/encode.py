"""A value as each format has it: one encoder for each, so that every value survives.

Each raises ``ValueError`` for what its format cannot carry, before anything is written.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

# What a variable of a process cannot have, or no file in UTF-8.
NUL, SURROGATES = "\0", ("\ud800", "\udfff")


def text(value: str) -> str:
    """Return ``value`` if a process can have it in its environment and a file in its text."""
    if NUL in value:
        raise ValueError("has a NUL, which no variable can have")
    if any(SURROGATES[0] <= character <= SURROGATES[1] for character in value):
        raise ValueError("has half a character (a surrogate), which no text can have")
    return value


def shell(value: str) -> str:
    """Return ``value`` as a word of the shell."""
    return shlex.quote(text(value))


def assignment(name: str, value: str) -> str:
    """Return the line by which the shell gives ``name`` its value."""
    return f"{name}={shell(value)}"


def default(name: str, value: str) -> str:
    """Return the line by which the shell gives ``name`` its value unless it has one."""
    return f"{name}=${{{name}-{shell(value)}}}"


def systemd(name: str, value: str) -> str:
    """Return the line by which a file of systemd's (``EnvironmentFile=``) gives ``name`` its value.

    systemd.exec(5): within double quotes a backslash takes what is special to it, a line
    break is itself.
    """
    return f'{name}="' + re.sub(r'([\\"`$])', r"\\\1", text(value)) + '"'


def redis(value: str) -> str:
    """Return ``value`` as a word of Redis' configuration, and of redis-cli's commands."""
    return '"' + "".join(_byte(number) for number in text(value).encode()) + '"'


def postgresql(value: str) -> str:
    """Return ``value`` as a string of postgresql.conf, which is one line."""
    escaped = text(value).replace("\\", "\\\\").replace("'", "''")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


def _byte(number: int) -> str:
    plain = 0x20 <= number < 0x7F and chr(number) not in '"\\'
    return chr(number) if plain else f"\\x{number:02x}"


def quoted(value: str) -> str:
    """Return ``value`` as a string of YAML, and of JSON where no character is beyond U+FFFF."""
    return '"' + "".join(map(_escaped, text(value))) + '"'


def compose(value: Any) -> str:
    """Return data as a file of Compose, which puts variables in the place of ``$``."""
    return _compose(value) + "\n"


def _compose(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)}: {_compose(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_compose, value)) + "]"
    return quoted(value.replace("$", "$$")) if isinstance(value, str) else json.dumps(value)


def _escaped(character: str) -> str:
    number = ord(character)
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
