"""Where the traffic goes, and as whom."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field


def unverified() -> ssl.SSLContext:
    """Return a TLS context that takes the servers' self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass
class Site:
    """``host`` (``localhost:8443``) is what is asked for at ``address``:``port``."""

    host: str
    address: str
    port: int
    cookie: str  # of a session
    tls: ssl.SSLContext = field(default_factory=unverified)

    @property
    def name(self) -> str:
        """Return the host's name, without its port."""
        return self.host.partition(":")[0]

    @property
    def origin(self) -> str:
        """Return the Origin of the site's own pages."""
        return f"https://{self.host}"
