"""The addresses of sockets and event streams in templates and scripts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.ops.bounded.files import read_text
from tandem.ops.checks.finding import Finding, Place, kind
from tandem.ops.checks.site import SKIPPED, Site
from tandem.ops.checks.source import IGNORE

PLAIN = kind(
    "W029",
    "Address of a socket or event stream that fails on a page of HTTPS",
    why="Browsers refuse ws:// and http:// to a page that came by HTTPS, as all of nginx do, and"
    " no port but nginx' own can be reached.",
    cure="`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/…`; in browsers"
    " since 2024 the path alone: new WebSocket('/ws/…').",
    cost="None.",
)

SUFFIXES = (
    ".html", ".htm", ".djhtml", ".jinja", ".jinja2", ".j2", ".js", ".mjs", ".cjs", ".jsx", ".ts",
    ".tsx", ".vue", ".svelte",
)  # fmt: skip
ADDRESS = re.compile(
    r"""["'`=:]ws:(?://|["'`]\s*\+)"""  # 'ws://…', "ws:" + "//…", ws-connect=ws://…
    r"""|["'`]ws["'`]\s*\+\s*["'`]://"""
    r"""|\bEventSource\(\s*["'`]http://"""
)
PORT = re.compile(r"""\bhostname\s*(?:\}|\+\s*["'`]):\d""")  # location.hostname + ":8001"
COMMENT = re.compile(r"\s*(?://|/?\*|<!--|\{#)")
# A choice between the two may be written over some lines.
NEAR = 3
SOCKET = re.compile(r"WebSocket|EventSource|wss?:")


def check(site: Site) -> Iterator[Finding]:
    """Find addresses that are written for a page of plain HTTP."""
    for file in dict.fromkeys(_files(site)):
        try:
            text = read_text(file)
        except OSError:  # not text, or larger than what people write
            continue
        lines = text.splitlines() if SOCKET.search(text) else []
        for number, line in enumerate(lines, 1):
            if COMMENT.match(line) or _ignored(line):
                continue
            near = "\n".join(lines[max(0, number - 1 - NEAR) : number + NEAR])
            if said := _wrong(line, near):
                yield Finding(PLAIN, Place(file, number), said)


def _wrong(line: str, near: str) -> str:
    """Return what is wrong with an address on a line, as a sentence, or nothing."""
    if found := ADDRESS.search(line):
        scheme = "http" if "http" in found[0] else "ws"
        if f"{scheme}s" not in near:
            return f"It is {scheme}:// whatever the page came by."
    if PORT.search(line) and SOCKET.search(near):
        return "It has a port of its own."
    return ""


def _ignored(line: str) -> bool:
    found = IGNORE.search(line)
    return bool(found) and PLAIN.code in found[1] if found else False


def _files(site: Site) -> Iterator[Path]:
    """Give the templates and scripts of the site's own."""
    for folder in {*site.folders, *_named(site.settings)}:
        if any(folder.is_relative_to(one) for one in site.installed):
            continue
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
            for name in sorted(names):
                if name.endswith(SUFFIXES) and ".min." not in name:
                    yield Path(place, name)


def _named(settings: Any) -> Iterator[Path]:
    """Give the folders that the settings name."""
    for engine in settings.TEMPLATES:
        yield from (Path(folder).resolve() for folder in engine.get("DIRS", ()))
    for folder in settings.STATICFILES_DIRS:  # or (prefix, folder)
        yield Path(folder[1] if isinstance(folder, list | tuple) else folder).resolve()
