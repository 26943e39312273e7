"""``server.conf`` and its like: the names, ports and limits of a place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tandem.origins import origins, words

# Room for the form around a file of the largest size; the site judges the last bytes.
FORM_OVERHEAD_BYTES = 64 * 1024
NAME = re.compile(r"[a-z0-9.:\[\]-]+")


def server_conf(settings: Mapping[str, str]) -> str:
    """Return ``server.conf``: what holds for this place, as nginx variables and limits."""
    body = int(settings["UPLOAD_LIMIT_MIB"]) * 1024 * 1024 + FORM_OVERHEAD_BYTES
    port = settings["HTTPS_PORT"]
    # Regular expressions, because plain strings in a map ignore case and an Origin that
    # differs in case was not sent by a browser.
    allowed = "\n".join(f'    "~^{re.escape(o)}$" 1;' for o in origins(settings))
    return f"""\
map $host $public_port {{ default "{"" if port == "443" else f":{port}"}"; }}
map $host $identity_headers {{ default "{settings["TANDEM_IDENTITY_HEADERS"]}"; }}
map $host $hsts {{ default "{settings.get("HSTS", "")}"; }}
map $http_origin $origin_allowed {{
    default 0;
{allowed}
}}
client_max_body_size {body};
"""


def server_name(settings: Mapping[str, str]) -> str:
    """Return ``server-name.conf``.  Raises ``ValueError`` for what is no host name."""
    names = words(settings["SERVER_NAMES"])
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"SERVER_NAMES: {name!r} is no host name")
    return f"server_name {' '.join(names)};\n"


def listen_https(settings: Mapping[str, str], default: str = "") -> str:
    """Return where HTTPS listens, for each nginx in its own words."""
    # nginx before 1.25.1 knows HTTP/2 as a word of "listen", later ones as a directive.
    if settings.get("NGINX_HTTP2", "directive") == "listen":
        word, directive = " http2", ""
    else:
        word, directive = "", "http2 on;\n"
    return f"listen 443 ssl{word}{default};\nlisten [::]:443 ssl{word}{default};\n{directive}"
