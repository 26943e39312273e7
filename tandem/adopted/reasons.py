"""Why each setting of a site is replaced: what ``tandem adopt --explain`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tandem.adopted.declared import plain

REASONS = {
    "DEBUG": "pages of errors would show the settings",
    "SECRET_KEY": "the site has none, or one that is in its repository",
    "ALLOWED_HOSTS": "the names of the site: nginx refuses others",
    "CSRF_TRUSTED_ORIGINS": "the addresses of the site",
    "USE_X_FORWARDED_HOST": "nginx has checked Host; this header is as a client wrote it",
    "USE_X_FORWARDED_PORT": "nginx knows the port; this header is as a client wrote it",
    "SECURE_PROXY_SSL_HEADER": "nginx ends TLS, and sets that header itself",
    "SESSION_COOKIE_SECURE": "all of the site is served by TLS",
    "CSRF_COOKIE_SECURE": "all of the site is served by TLS",
    "STATIC_URL": "nginx serves static files there",
    "STATIC_ROOT": "nginx serves static files from there",
    "STATICFILES_FINDERS": "what the repository holds collected is collected as well",
    "TANDEM_COLLECTED": "where the repository holds static files collected",
    "MEDIA_URL": "nginx serves uploads there",
    "MEDIA_ROOT": "releases are read-only; uploads are kept there, and served by nginx",
    "FILE_UPLOAD_PERMISSIONS": "both upstreams write uploads, nginx reads them",
    "FILE_UPLOAD_DIRECTORY_PERMISSIONS": "both upstreams write uploads, nginx reads them",
    "FILE_UPLOAD_TEMP_DIR": "an upload is moved into its place, and not copied",
    "FILE_UPLOAD_HANDLERS": "an upload may have a longer name than a file can",
    "STORAGES": "an upload may have a longer name than a file can",
    "DATABASES": "Tandem's database, and connections that suit threads and sockets",
    "INSTALLED_APPS": "apps use more of PostgreSQL where they find django.contrib.postgres",
    "CHANNEL_LAYERS": "a group must reach every worker: through Redis",
    "LOGGING": "releases are read-only, and warnings go to the log",
}
REDIS = "Tandem's Redis, in the words that this client understands"
MADE = "it was made of a folder or an address that is replaced"
LEADS = ("unix://", "redis://", "redis+socket://", "unix_socket_path")


def replaced(own: Mapping[str, Any], laid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings that are not as the site has them: what was, what is, and why."""
    found = []
    for name, value in laid.items():
        if name in own and own[name] == value and type(own[name]) is type(value):
            continue
        new = plain(value, name)
        led = any(word in str(new) for word in LEADS)
        why = REASONS.get(name) or (REDIS if led else MADE)
        old = plain(own[name], name) if name in own else None
        found.append({"name": name, "old": old, "new": new, "why": why})
    return found
