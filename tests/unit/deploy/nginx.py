"""nginx's whole configuration as nginx would understand it: what is inherited, what maps give."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crossplane

from tandem.ops.nginx.generate import render, write
from tandem.ops.routes.force import force_conf
from tandem.ops.routes.model import load
from tests.checkout import ROOT

SETTINGS = {
    "SERVER_NAMES": "example.org,www.example.org",
    "HTTPS_PORT": "8443",
    "WSGI_INSTANCES": "2",
    "ASGI_INSTANCES": "2",
    "NOTIFY_INSTANCES": "2",
    "SOCKETS_PER_ADDRESS": "77",
    "UPLOAD_LIMIT_MIB": "25",
    "TANDEM_IDENTITY_HEADERS": "on",
}
KEY = "k" * 64
# Locations of files, by their arguments.
STATIC = "/static/"
HASHED = r"~ ^/static/.+\.[0-9a-f]{12}\.\w+$"
SCRIPTS = r"~* \.(js|mjs|cjs|jsx|css|htc|xslt?)$"
# Of these a block that has any takes none from around it (nginx.org: "inherited from the
# previous configuration level if and only if there are no … defined on the current level").
LISTS = {
    "proxy_set_header", "proxy_hide_header", "add_header", "limit_conn", "limit_req",
    "error_page", "mirror", "access_log",
}  # fmt: skip

Directive = dict[str, Any]


@dataclass
class Place:
    """A server or a location, with what is in force there."""

    name: str
    chain: list[list[Directive]] = field(default_factory=list)  # http, server, location, …

    def all(self, directive: str) -> list[list[str]]:
        """Return the arguments of each ``directive`` in force."""
        for block in reversed(self.chain):
            found = [d["args"] for d in block if d["directive"] == directive]
            if found:
                return found if directive in LISTS else found[-1:]
        return []

    def one(self, directive: str) -> str:
        """Return the arguments of a directive in force, as written; empty: it has its default."""
        found = self.all(directive)
        return " ".join(found[0]) if found else ""

    def headers(self, directive: str = "proxy_set_header") -> dict[str, list[str]]:
        """Return what is set, by lower-case name; nothing is sent of what is set to ``""``."""
        found: dict[str, list[str]] = {}
        for name, value, *_ in self.all(directive):
            found.setdefault(name.lower(), [])
            if value:
                found[name.lower()].append(value)
        return found

    def own(self, directive: str) -> list[list[str]]:
        """Return the arguments of each ``directive`` of this block itself, conditions included."""
        return [d["args"] for d in self.chain[-1] if d["directive"] == directive]

    def conditions(self) -> dict[str, list[list[str]]]:
        """Return what each ``if`` of this block returns: ``{"$a = 0": [["403"]]}``."""
        return {
            " ".join(d["args"]).strip("()"): [
                x["args"] for x in d["block"] if x["directive"] == "return"
            ]
            for d in self.chain[-1]
            if d["directive"] == "if"
        }


class Nginx:
    """The configuration of ``deploy/nginx`` with files generated for ``SETTINGS`` and routes."""

    def __init__(
        self, folder: Path, routes: Path = ROOT / "deploy/routes.yml", **more: str
    ) -> None:
        static, generated = folder / "static", folder / "generated"
        shutil.copytree(ROOT / "deploy/nginx", static)
        write(render({**SETTINGS, **more}, load(routes)), generated)
        (generated / "force.conf").write_text(force_conf(KEY))
        for path in folder.rglob("*.conf"):
            text = path.read_text().replace("/etc/nginx/tandem/", f"{static}/")
            text = text.replace("/etc/tandem/nginx/", f"{generated}/")
            path.write_text(re.sub(r"include /etc/nginx/\S+;", "", text))
        parsed = crossplane.parse(str(static / "nginx.conf"), combine=True)
        assert parsed["status"] == "ok", parsed["errors"]
        self.main: list[Directive] = parsed["config"][0]["parsed"]
        self.http = self._block(self.main, "http")

    @staticmethod
    def _block(inside: list[Directive], name: str) -> list[Directive]:
        return next(d["block"] for d in inside if d["directive"] == name)

    def servers(self) -> list[Place]:
        """Return all servers, in order."""
        blocks = [d["block"] for d in self.http if d["directive"] == "server"]
        return [Place(self._name(block), [self.http, block]) for block in blocks]

    @staticmethod
    def _name(server: list[Directive]) -> str:
        return " ".join(arg for d in server if d["directive"] == "server_name" for arg in d["args"])

    @property
    def site(self) -> Place:
        """Return the server of the site."""
        return next(server for server in self.servers() if "example.org" in server.name)

    def locations(self, server: Place | None = None) -> dict[str, Place]:
        """Return every location of a server (the site's), nested ones too, by its arguments."""
        server = server or self.site
        return {place.name: place for place in self._walk(server.chain)}

    def _walk(self, chain: list[list[Directive]]) -> Iterator[Place]:
        for directive in chain[-1]:
            if directive["directive"] == "location":
                place = Place(" ".join(directive["args"]), [*chain, directive["block"]])
                yield place
                yield from self._walk(place.chain)

    @property
    def unknown(self) -> Place:
        """Return the server of every name that is not the site's."""
        return next(
            s for s in self.servers() if ["443", "ssl", "default_server"] in s.own("listen")
        )

    def proxied(self) -> dict[str, Place]:
        """Return all locations that ask an upstream; those of no name's server: ``unknown …``."""
        found = {n: p for n, p in self.locations().items() if p.own("proxy_pass")}
        others = self.locations(self.unknown).items()
        return found | {f"unknown {n}": p for n, p in others if p.own("proxy_pass")}

    def upstreams(self) -> dict[str, list[Directive]]:
        """Return the blocks of the upstreams by name."""
        return {d["args"][0]: d["block"] for d in self.http if d["directive"] == "upstream"}

    # --- maps ---

    def value(self, text: str, **known: str) -> str:
        """Return ``text`` with its variables, where a request has ``known`` ones.

        A variable that is neither known nor made by a map is empty.
        """

        def of(match: re.Match[str]) -> str:
            return self._variable(match[1] or match[2], known)

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", of, text)

    def _variable(self, name: str, known: dict[str, str]) -> str:
        if name in known:
            return known[name]
        for directive in self.http:
            if directive["directive"] == "map" and directive["args"][1] == f"${name}":
                return self._mapped(directive, known)
        return ""

    def _mapped(self, directive: Directive, known: dict[str, str]) -> str:
        """As ngx_http_map_module: strings (in any case) first, then expressions, in order."""
        source = self.value(directive["args"][0], **known)
        block = [d for d in directive["block"] if d["directive"] != "volatile"]
        entries = [(d["directive"], d["args"][0] if d["args"] else "") for d in block]
        for key, result in entries:
            if not key.startswith("~") and key != "default" and key.lower() == source.lower():
                return self.value(result, **known)
        for key, result in entries:
            if key.startswith("~"):
                loose = key.startswith("~*")
                pattern = re.sub(r"\(\?<(\w+)>", r"(?P<\1>", key[2 if loose else 1 :])
                if found := re.search(pattern, source, re.IGNORECASE if loose else 0):
                    return self.value(result, **{**known, **found.groupdict()})
        return self.value(dict(entries).get("default", ""), **known)
