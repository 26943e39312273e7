"""``server.conf`` and its like: the names, ports and limits of a place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tandem.facts import SNIPPETS
from tandem.ops.routes.model import PATH
from tandem.origins import origins, words
from tandem.sizes import SIZES

# Room for the form around a file of the largest size; the site judges the last bytes.
FORM_OVERHEAD_BYTES = 64 * 1024
# RFC 6797, without the quotes that nobody writes; preload is of those who keep browsers' lists.
HSTS = re.compile(r"(max-age=\d+(; ?includeSubDomains)?(; ?preload)?)?")
NAME = re.compile(r"[a-z0-9.:\[\]-]+")
REQUESTS_PER_ADDRESS = 1000


def server_conf(settings: Mapping[str, str]) -> str:
    """Return ``server.conf``: what holds for this place, as nginx variables and limits."""
    body = int(settings["UPLOAD_LIMIT_MIB"]) * 1024 * 1024 + FORM_OVERHEAD_BYTES
    requests = int(settings.get("REQUESTS_PER_ADDRESS", REQUESTS_PER_ADDRESS))
    port = settings["HTTPS_PORT"]
    # Regular expressions, because plain strings in a map ignore case and an Origin that
    # differs in case was not sent by a browser.
    allowed = "\n".join(f'    "~^{re.escape(o)}$" 1;' for o in origins(settings))
    logins = "\n".join(f'    "~^{re.escape(path)}$" 1;' for path in login_paths(settings))
    return f"""\
map $host $public_port {{ default "{"" if port == "443" else f":{port}"}"; }}
map $host $identity_headers {{ default "{settings["TANDEM_IDENTITY_HEADERS"]}"; }}
map $secure $hsts {{
    1 "{hsts(settings)}";
    default "";
}}
# Who asks by another name gets what the main one gets: health-routes.conf.
map $server_name $site_host {{
    ""      {words(settings["SERVER_NAMES"])[0]};
    default $host;
}}
map $uri $login_path {{
{logins}
    default 0;
}}
map $http_origin $origin_allowed {{
    default 0;
{allowed}
}}
client_max_body_size {body};
limit_conn requests {requests};
"""


def hsts(settings: Mapping[str, str]) -> str:
    """Return ``HSTS``.  Raises ``ValueError`` for what no browser would understand."""
    value = settings.get("HSTS", "")
    if not HSTS.fullmatch(value):
        raise ValueError(f"HSTS must be like 'max-age=31536000; includeSubDomains', got {value!r}")
    return value


def server_name(settings: Mapping[str, str]) -> str:
    """Return ``server-name.conf``.  Raises ``ValueError`` for what is no host name."""
    names = words(settings["SERVER_NAMES"])
    for name in names:
        if name.startswith("."):
            raise ValueError(
                f"SERVER_NAMES: {name!r} stands for all names below it, of which neither a"
                " certificate nor an Origin can be made; name each"
            )
        if not NAME.fullmatch(name) or len(name) > SIZES["HOST_NAME_BYTES"]:
            raise ValueError(f"SERVER_NAMES: {name!r} is no host name")
    return f"server_name {' '.join(names)};\n"


def login_paths(settings: Mapping[str, str]) -> list[str]:
    """Return ``LOGIN_PATHS``.  Raises ``ValueError`` for what is no path."""
    paths = words(settings.get("LOGIN_PATHS", ""))
    for path in paths:
        if not PATH.fullmatch(path):
            raise ValueError(f"LOGIN_PATHS: {path!r} is no path; it must begin with '/'")
    return paths


def socket_limits(settings: Mapping[str, str]) -> str:
    """Return ``socket-limits.conf``: for sockets and streams, in the place of those of requests."""
    return (
        f"limit_conn client_sockets {int(settings['SOCKETS_PER_ADDRESS'])};\n"
        f"include {SNIPPETS}/body-limits.conf;\n"
    )
