"""tandem.yml as text, each guess explained above its key."""

from __future__ import annotations

import re
import textwrap
from dataclasses import fields
from typing import Any

from tandem.ops.adopt.findings import Finding, Findings
from tandem.ops.adopt.model import READERS, Site
from tandem.ops.encode import quoted

WIDTH = 96
LONGEST = 160  # of a line on the terminal
HEADER = """\
# How Tandem serves this site; what each key means: docs/site-file.md of Tandem.
# Written by `tandem adopt`, which {how}. Correct what is wrong:
# lines with "decide:" wait for you.
"""
READ = "read the code and ran none of it"
ASKED = "asked the running code"
# Text that YAML takes for text without quotes, and people for what it is.
PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./:@=<>, -]*|\.")
WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
ALWAYS = (
    "name",
    "root",
    "settings",
    "wsgi",
    "asgi",
    "requirements",
    "secrets",
    "database",
    "health",
)


def render(findings: Findings) -> str:
    """Return the text of tandem.yml."""
    defaults = {one.name: one.default for one in fields(Site)}
    parts = [HEADER.format(how=ASKED if findings.asked else READ)]
    for key in READERS:
        finding = findings.keys.get(key)
        if finding is None:
            continue
        bare = not (finding.decide or finding.suggested)
        if key not in ALWAYS and bare and _is_default(finding, defaults[key]):
            continue
        parts.append("\n".join([*_comments(finding), *_lines(key, finding)]) + "\n")
    return "\n".join(parts)


def _is_default(finding: Finding, default: Any) -> bool:
    if isinstance(finding.value, dict):
        return not finding.value and not finding.why
    value = tuple(finding.value) if isinstance(finding.value, list) else finding.value
    return bool(value == default)


def _comments(finding: Finding) -> list[str]:
    lines = [line for why in finding.why if why for line in _comment(why)]
    return lines + [line for one in finding.decide for line in _comment(f"decide: {one}")]


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#   ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _lines(key: str, finding: Finding) -> list[str]:
    value = finding.value
    if isinstance(value, bool):
        return [f"{key}: {str(value).lower()}"]
    if isinstance(value, str):
        return [f"{key}: {scalar(value)}"]
    if value is None:
        return []
    lines = [f"{key}:"]
    if isinstance(value, dict):
        for name, text in value.items():
            lines += _comment(finding.entries[name], "  ") if finding.entries.get(name) else []
            lines.append(f"  {scalar(name)}: {scalar(text)}")
    elif not finding.entries and not finding.suggested:
        return [f"{key}: [{', '.join(scalar(item) for item in value)}]"]
    else:
        reason = ""
        for item in value:
            if finding.entries.get(item, reason) != reason:
                reason = finding.entries[item]
                lines += _comment(reason, "  ")
            lines.append(f"  - {scalar(item)}")
    for name, why in finding.suggested.items():
        lines += _comment(f"decide: {why}", "  ")
        lines.append(f'  # {name}: ""' if isinstance(value, dict) else f"  # - {name}")
    if not value:
        lines[0] = f"{key}: {'{}' if isinstance(value, dict) else '[]'}"
    return lines


def scalar(text: str) -> str:
    """Return ``text`` as YAML reads it back, in quotes where it must or should be."""
    plain = (
        PLAIN.fullmatch(text) and text.lower() not in WORDS and not re.search(r": |:$|, |,|#", text)
    )
    return text if plain and text == text.strip() else quoted(text)


def summary(findings: Findings) -> str:
    """Return what was found, a line for each key, for the terminal."""
    lines = []
    for key in READERS:
        finding = findings.keys.get(key)
        if finding is None or finding.value in (None, [], {}, ""):
            continue
        value = finding.value
        if isinstance(value, dict | list):
            shown = ", ".join(value)
        else:
            shown = str(value).lower() if isinstance(value, bool) else str(value)
        why = "; ".join(finding.why) or "; ".join(dict.fromkeys(finding.entries.values()))
        lines.append(f"  {key:15} {shown}" + (f"  ← {why}" if why else ""))
    return "\n".join(line if len(line) <= LONGEST else f"{line[:LONGEST]} …" for line in lines)
