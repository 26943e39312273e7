"""Gunicorn: one WSGI instance, ``wsgi@1`` or its like.

Settings: gunicorn.org, reference/settings.  The listening socket comes from the .socket
unit (or tandem.instance.listen) as file descriptor 3, so ``bind`` and ``backlog`` are not here.
"""

import logging
import os

from tandem import logs
from tandem.identity import wsgi_headers
from tandem.server import client_address
from tandem.sizes import HEADER_FIELDS, SIZES

wsgi_app = os.environ["WSGI_APPLICATION"]  # deploy/site.env

# Threads, because a worker without them stands still while the database thinks: at a
# 50 ms view, 2 processes answer 35 requests/s without threads, 540 with 16 each.
worker_class = "gthread"
workers = int(os.environ["WSGI_WORKERS"])
threads = int(os.environ["WSGI_THREADS"])

# The ladder of docs/timeouts.md, in seconds.
timeout = 60  # a worker that does not beat for so long is killed; default 30
graceful_timeout = 25  # for requests under way at a stop; less than the unit's stop timeout
keepalive = 75  # more than nginx keeps its side, or a request meets a closing connection

# The ladder of docs/sizes.md: what nginx lets in is taken.
limit_request_line = SIZES["ADDRESS_BYTES"] + 100  # with a method (20 at most) and a version
limit_request_field_size = SIZES["HEADERS_BYTES"]
limit_request_fields = HEADER_FIELDS

# Leaks of the site's code end with the worker; spread, so that not all go at once.
max_requests = 20_000
max_requests_jitter = 2_000

worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file must not wait for a disk
control_socket_disable = True  # two instances of one user would fight for one path
forwarded_allow_ips = "*"  # only nginx can open the socket
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}  # and says it so; others are not heard
forwarder_headers = ""  # no header is an address of WSGI's own

accesslog = None  # nginx logs every request
errorlog = "-"
loglevel = "warning"
# A request that is not understood, or whose application raises, is quoted in it.
logs.install()
logging.getLogger("gunicorn.error").addFilter(logs.WithoutQuery())


def post_worker_init(worker) -> None:
    """Wrap whatever application this instance serves: the client's address in, our headers out."""
    worker.wsgi = wsgi_headers(client_address.wsgi(worker.wsgi))
