"""``sizes.conf``: the ladder of sizes (deploy/sizes.env) in nginx' words."""

from __future__ import annotations

from tandem.sizes import SIZES

# Of the body of an answer, in memory for each request that nginx buffers.
BODY_BUFFER_BYTES = 8 * 1024


def sizes_conf() -> str:
    """Return ``sizes.conf``, which holds wherever nothing else is said: in ``http``."""
    answer = SIZES["ANSWER_HEADERS_BYTES"]
    buffers = SIZES["HEADERS_BYTES"] // SIZES["HEADER_BYTES"]
    return f"""\
large_client_header_buffers {buffers} {SIZES["HEADER_BYTES"]};
proxy_buffer_size {answer};
proxy_buffers {2 * answer // BODY_BUFFER_BYTES} {BODY_BUFFER_BYTES};
proxy_busy_buffers_size {answer};
server_names_hash_bucket_size {_bucket(SIZES["HOST_NAME_BYTES"])};

# Refused with a page: snippets/sizes.conf.  Not again while that page is fetched.
map $uri $judged_address {{
    volatile;
    "~^/errors/" "";
    default      $request_uri;
}}
map $uri $judged_cookie {{
    volatile;
    "~^/errors/" "";
    default      $http_cookie;
}}
map $judged_address $address_too_long {{
    volatile;
    "~^.{{{SIZES["ADDRESS_BYTES"] + 1}}}" 1;
    default 0;
}}
map $judged_cookie $cookie_too_long {{
    volatile;
    "~^.{{{SIZES["COOKIE_BYTES"] + 1}}}" 1;
    default 0;
}}
"""


def _bucket(name: int) -> int:
    """Return the size of a hash bucket for a name: with two pointers and a length, a power of 2."""
    return 1 << (name + 2 + 2 * 8).bit_length()
