"""What cannot be set, and more than one part must know: codes, kinds, places, names, versions.

Nothing but Python's own, and nothing of a site: root's tools on a server have a copy, Ansible
reads it as ``tandem_facts`` (ansible/filter_plugins/facts.py), and what cannot read it (nginx'
files, units, scripts, pages) is compared with it by ``tests/unit/test_homes.py``.
What can be set is in ``.env``; the tokens of staff are in ``tandem.ops.routes.force``, which
servers run alone.
"""

from __future__ import annotations

from typing import NamedTuple

# --- The codes with which a WebSocket is closed: RFC 6455, 7.4, and IANA's registry ---
NORMAL = 1000  # done
ABNORMAL = 1006  # never sent: the connection ended without a close frame
POLICY_VIOLATION = 1008  # this client does what it may not
INTERNAL_ERROR = 1011  # the site failed
SERVICE_RESTART = 1012  # come back, after a random delay: the handshake is judged anew
TRY_AGAIN_LATER = 1013  # there is too much of something now; come back later
LOGGED_OUT = 4401  # of the range for applications; as HTTP's 401


def may_be_sent(code: int) -> bool:
    """Tell whether a close frame may have ``code`` (RFC 6455, 7.4)."""
    unsendable = (1004, 1005, ABNORMAL)
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in unsendable)


# --- The statuses with which a command of ``tandem`` ends; those of routes are its own ---
FINE, FOUND, FAILED = 0, 1, 2  # nothing is wrong; something is; it cannot be told
# Of ``tandem routes`` and its report, where 1 and 2 are verdicts, of --gate and of --auto.
ROUTES_FAILED = 3

# --- The kinds of process that listen; each is an upstream of its name ---
# The TCP port where the site is spread over several servers: these digits, and one that is the
# number of the instance, so that all of a kind differ in their last digit alone.
TCP_PORTS = {"wsgi": 810, "asgi": 820, "notify": 830}
KINDS = tuple(TCP_PORTS)
SIDES = KINDS[:2]  # either can answer a plain request
PROCESS = "process"  # the site's own, which listen nowhere
REDIS_PORT = 6379
POSTGRES_PORT = 5432

# --- Sockets ---
SOCKETS = "/run/tandem"  # of the instances
REDIS_SOCKET = "/run/redis-tandem/redis-server.sock"
REDIS_URL = f"unix://{REDIS_SOCKET}"
POSTGRES_SOCKETS = "/run/postgresql"
SHADOW_SOCKET = "/run/tandem-nginx/shadow.sock"  # where nginx sends copies, to itself
NGINX_PID = "/run/nginx/nginx.pid"


def socket_of(instance: str) -> str:
    """Return where an instance (``wsgi@1``) listens on a server that has all of the site."""
    return f"{SOCKETS}/{instance}.sock"


# --- What a server is told: root's ---
SETTINGS = "/etc/tandem"
SITE_ENV = f"{SETTINGS}/site.env"  # the environment of the site's processes
CREDENTIALS = f"{SETTINGS}/credentials"  # a file for each secret
TLS = f"{SETTINGS}/tls"
FIREWALL = f"{SETTINGS}/firewall.nft"
REDIS_SETTINGS = f"{SETTINGS}/redis"
POSTGRES_SETTINGS = f"{SETTINGS}/postgres"
NGINX_MADE = f"{SETTINGS}/nginx"  # files for nginx that are made of the settings and the routes
NGINX_NEXT = f"{SETTINGS}/next"  # the same, before nginx has accepted them
NGINX_BESIDE = f"{SETTINGS}/beside"  # for an nginx that is not Tandem's
FORCE_CONF = f"{NGINX_MADE}/force.conf"
NGINX_FILES = "/etc/nginx/tandem"  # those of deploy/nginx, as they are
SNIPPETS = f"{NGINX_FILES}/snippets"

# --- What a server has of the site ---
SITE = "/srv/tandem"
RELEASES = f"{SITE}/releases"
INSTANCES = f"{SITE}/instances"  # a link for each instance: the release that it runs
CURRENT = f"{SITE}/current"  # the release that was rolled out last
STATIC = f"{SITE}/static"
MEDIA = f"{SITE}/media"
DATA = f"{SITE}/data"

# --- What a server has of Tandem ---
TOOLS = "/usr/local/lib/tandem"
MANAGE = "/usr/local/bin/tandem-manage"
STATE = "/var/lib/tandem"
ACME = f"{STATE}/acme"  # answers to the certificate authority
LOGS = "/var/log/tandem"
DEPLOYS_LOG = f"{LOGS}/deploys.jsonl"
ROUTES_LOG = f"{LOGS}/routes.jsonl"

# --- Headers of responses: who answered ---
UPSTREAM_HEADER = "X-Upstream"  # nginx says it
RELEASE_HEADER = "X-Release"  # the site's process does


# --- The Debian releases of servers and images, the oldest first ---
class Debian(NamedTuple):
    """What comes with a release of Debian."""

    version: str  # as in "12"
    python: str  # as in "3.11"


DEBIANS = {"bookworm": Debian("12", "3.11"), "trixie": Debian("13", "3.13")}
NEWEST_DEBIAN = list(DEBIANS)[-1]
