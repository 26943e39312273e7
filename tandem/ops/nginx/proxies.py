"""Proxies of others in front of nginx: where it listens, and whom it believes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from tandem.origins import words

LOOPBACK = ("127.0.0.1", "[::1]")


def networks(settings: Mapping[str, str]) -> list[str]:
    """Return ``TRUSTED_PROXIES``.  Raises ``ValueError`` for what is no network or address."""
    found = []
    for word in words(settings.get("TRUSTED_PROXIES", "")):
        try:
            network = ipaddress.ip_network(word)
        except ValueError as error:
            raise ValueError(
                f"TRUSTED_PROXIES: {error}; write 192.0.2.0/24 or 2001:db8::/32"
            ) from None
        if network.prefixlen == 0:
            raise ValueError(
                f"TRUSTED_PROXIES: {word} is everybody, and everybody could choose an address;"
                " name the networks of your proxies"
            )
        found.append(str(network))
    return found


def speaks_proxy_protocol(settings: Mapping[str, str]) -> bool:
    """Tell ``PROXY_PROTOCOL``.  Raises ``ValueError`` where nobody is trusted to speak it."""
    value = settings.get("PROXY_PROTOCOL", "off")
    if value not in ("on", "off"):
        raise ValueError(f"PROXY_PROTOCOL must be on or off, got {value!r}")
    if value == "on" and not networks(settings):
        raise ValueError("PROXY_PROTOCOL is on, and TRUSTED_PROXIES does not say who speaks it")
    return value == "on"


def proxies_conf(settings: Mapping[str, str]) -> str:
    """Return ``proxies.conf``: whose word on the client's address and scheme is taken."""
    trusted = networks(settings)
    header = "proxy_protocol" if speaks_proxy_protocol(settings) else "X-Forwarded-For"
    believed = "".join(f"set_real_ip_from {network};\n" for network in trusted)
    if trusted:
        believed += f"real_ip_header {header};\nreal_ip_recursive on;\n"
    lines = "".join(f"    {network} 1;\n" for network in trusted)
    return f"{believed}geo $realip_remote_addr $by_trusted_proxy {{\n    default 0;\n{lines}}}\n"


def listen_http(settings: Mapping[str, str], default: str = "") -> str:
    """Return where HTTP listens."""
    return _listen(settings, "80", default)


def listen_https(settings: Mapping[str, str], default: str = "") -> str:
    """Return where HTTPS listens, for each nginx in its own words."""
    # nginx before 1.25.1 knows HTTP/2 as a word of "listen", later ones as a directive.
    if settings.get("NGINX_HTTP2", "directive") == "listen":
        return _listen(settings, "443", f" ssl http2{default}")
    return _listen(settings, "443", f" ssl{default}") + "http2 on;\n"


def _listen(settings: Mapping[str, str], port: str, words_: str) -> str:
    places = [port, f"[::]:{port}"]
    if not speaks_proxy_protocol(settings):
        return "".join(f"listen {place}{words_};\n" for place in places)
    # Who asks from this machine itself (a probe, the play) does not speak it.
    inside = [f"{address}:{port}" for address in LOOPBACK]
    return "".join(
        [f"listen {place}{words_} proxy_protocol;\n" for place in places]
        + [f"listen {place}{words_};\n" for place in inside]
    )
