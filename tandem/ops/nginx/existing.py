"""nginx files for a server that has an nginx of its own: only the ASGI routes, only added.

Every name in them begins with ``tandem_``: the server's own configuration may well
have a ``$connection_upgrade`` already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tandem.facts import socket_of
from tandem.ops.routes.model import Route
from tandem.origins import origins
from tandem.sizes import SIZES

HTTP = """\
# Sockets are routed to Tandem's ASGI instances.  In the context "http".
upstream tandem_asgi {{
    zone tandem_asgi 128k;
    least_conn;
{servers}
    keepalive 16;
    keepalive_timeout 30s;
}}
map $http_upgrade $tandem_connection_upgrade {{
    ~*^websocket$ upgrade;
    default       close;
}}
map $http_origin $tandem_origin_allowed {{
    default 0;
{origins}
}}
map $tandem_connection_upgrade $tandem_mixed_connection {{
    upgrade upgrade;
    default "";
}}
map $tandem_connection_upgrade $tandem_mixed_upgrade {{
    upgrade websocket;
    default "";
}}
map $tandem_connection_upgrade:$tandem_origin_allowed $tandem_mixed_refused {{
    upgrade:0 1;
    default   0;
}}
"""

LOCATION = """\
location {path} {{
    proxy_pass http://tandem_asgi;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Request-ID $request_id;
    proxy_connect_timeout 5s;
    proxy_buffer_size {answer};
    proxy_buffers 4 {answer};
    proxy_busy_buffers_size {answer};
{mode}}}
"""
# What each mode adds, as deploy/nginx/snippets/, where the reasons are.
MODES = {
    "http": """\
    proxy_set_header Connection "";
""",
    "sse": """\
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_read_timeout 300s;
""",
    "mixed": """\
    if ($tandem_mixed_refused) {
        return 403;
    }
    proxy_set_header Upgrade $tandem_mixed_upgrade;
    proxy_set_header Connection $tandem_mixed_connection;
    proxy_buffering off;
    lingering_close always;
""",
    "websocket": """\
    if ($tandem_connection_upgrade != upgrade) {
        return 426;
    }
    if ($tandem_origin_allowed = 0) {
        return 403;
    }
    proxy_set_header Upgrade websocket;
    proxy_set_header Connection $tandem_connection_upgrade;
    proxy_read_timeout READ_TIMEOUT;
    proxy_send_timeout 60s;
    proxy_buffering off;
    lingering_close always;
""",
}


def render(settings: Mapping[str, str], routes: list[Route], websocket: str) -> dict[str, str]:
    """Return ``{"http.conf": …, "locations.conf": …}``.

    ``websocket`` is the text of deploy/nginx/snippets/websocket.conf, the one home of
    the sockets' read timeout.  Raises ``KeyError`` for a missing setting, ``ValueError``
    where no route goes to ASGI.
    """
    moved = [route for route in routes if route.upstream == "asgi"]
    if not moved:
        raise ValueError("no route has upstream asgi, so there is nothing to add")
    # Its other side is not an upstream that is known here; so there is no fallback either.
    for route in routes:
        if route.share < 100 or route.mirror:
            raise ValueError(
                f"the route {route.path} has a share or a mirror, for which Tandem's own nginx"
                " is needed; take it out"
            )
    timeout = re.search(r"proxy_read_timeout (\w+);", websocket)
    if timeout is None:
        raise ValueError("snippets/websocket.conf has no proxy_read_timeout")
    servers = "\n".join(
        f"    server unix:{socket_of(f'asgi@{n}')} max_fails=0;"
        for n in range(1, int(settings["ASGI_INSTANCES"]) + 1)
    )
    allowed = "\n".join(f'    "~^{re.escape(origin)}$" 1;' for origin in origins(settings))
    locations = [
        LOCATION.format(
            path=route.path,
            mode=MODES[route.mode].replace("READ_TIMEOUT", timeout[1]),
            answer=SIZES["ANSWER_HEADERS_BYTES"],
        )
        for route in sorted(moved, key=lambda route: route.path)
    ]
    return {
        "http.conf": HTTP.format(servers=servers, origins=allowed),
        "locations.conf": "\n".join(locations),
    }
