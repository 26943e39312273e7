"""beside.yml on a server that runs its own nginx, Gunicorn, PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.conftest import until_done
from tests.servers.copies import Kept
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal, changes, recap

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)

# What somebody set up years ago.
OLD_SITE = r"""
set -e
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    nginx gunicorn python3 postgresql redis-server openssl curl >/dev/null
mkdir -p /opt/shop && cat >/opt/shop/shop.py <<'PY'
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Served-By", "the old site")])
    return [b"shop"]
PY
cat >/etc/systemd/system/shop.service <<'UNIT'
[Service]
WorkingDirectory=/opt/shop
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 shop
[Install]
WantedBy=multi-user.target
UNIT
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=old.test \
    -keyout /etc/ssl/private/shop.key -out /etc/ssl/certs/shop.pem 2>/dev/null
cat >/etc/nginx/conf.d/shop-maps.conf <<'NGINX'
map $http_upgrade $connection_upgrade { default upgrade; "" close; }
NGINX
cat >/etc/nginx/sites-available/shop <<'NGINX'
server {
    listen 443 ssl;
    server_name old.test;
    ssl_certificate /etc/ssl/certs/shop.pem;
    ssl_certificate_key /etc/ssl/private/shop.key;
    location / { proxy_pass http://127.0.0.1:8000; }
}
NGINX
ln -sf ../sites-available/shop /etc/nginx/sites-enabled/shop
rm -f /etc/nginx/sites-enabled/default
systemctl daemon-reload
systemctl enable --now --quiet shop redis-server postgresql
systemctl restart nginx
runuser -u postgres -- psql -qc "CREATE ROLE shop LOGIN PASSWORD 'rehearsal-only'" \
    -c "CREATE DATABASE shop OWNER shop"
"""
FINGERPRINT = (
    "find /etc/nginx /etc/systemd/system /etc/redis /etc/postgresql /opt -type f -print0"
    " | sort -z | xargs -0 sha256sum"
)
UPGRADE = (
    "curl --silent --insecure --include --max-time 60 --http1.1 --resolve old.test:443:127.0.0.1"
    " -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
    " -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Origin: %s'"
    " https://old.test/ws/chat/lobby/"
)
PAGE = "curl --silent --insecure --include --resolve old.test:443:127.0.0.1 https://old.test/"


def set_up(old: Rehearsal) -> dict[str, str]:
    """Set the old site up."""
    return {"said": old.execute("old", OLD_SITE)}


@pytest.fixture(scope="module")
def old(release: str, run: Path) -> Iterator[Rehearsal]:
    """Boot a server that has the old site."""
    old = Kept(Rehearsal("beside.yml", "beside"), set_up, run, also=OLD_SITE).boot()
    old.before = old.execute("old", FINGERPRINT)
    yield from until_done(old)


def test_a_look_first_shows_the_diff_and_changes_nothing(old: Rehearsal):
    printed = old.play("beside.yml", "--check", "--diff")
    assert recap(printed)["old"]["failed"] == 0
    assert "+    include /etc/tandem/beside/locations.conf;" in printed
    assert "+upstream tandem_asgi {" in printed
    assert old.execute("old", FINGERPRINT) == old.before


def test_sockets_go_to_asgi_and_pages_to_the_old_site(old: Rehearsal):
    printed = old.play("beside.yml")
    assert recap(printed)["old"]["failed"] == 0
    assert "X-Served-By: the old site" in old.execute("old", PAGE)
    # No session: refused by the application itself, behind Uvicorn.
    refused = old.execute("old", UPGRADE % "https://old.test")
    assert "403" in refused.splitlines()[0]
    assert "text/plain" in refused
    # A foreign page: refused by the old site's own nginx.
    assert "<center>nginx" in old.execute("old", UPGRADE % "https://evil.example")
    for unit in ("shop", "redis-server", "postgresql", "asgi@1", "asgi@2"):
        assert old.execute("old", f"systemctl is-active {unit}") == "active"


def test_nothing_of_before_is_overwritten(old: Rehearsal):
    now = set(old.execute("old", FINGERPRINT).splitlines())
    gone = [line for line in old.before.splitlines() if line not in now]
    assert [line.split()[1] for line in gone] == ["/etc/nginx/sites-available/shop"]
    changed = old.execute("old", "cat /etc/nginx/sites-available/shop")
    assert changed.count("Tandem") == 2  # the two markers around one line


def test_a_second_run_changes_nothing(old: Rehearsal):
    assert changes(old.play("beside.yml")) == []


def test_a_broken_nginx_of_theirs_is_not_touched(old: Rehearsal):
    old.execute("old", "echo 'nonsense;' >/etc/nginx/conf.d/zz.conf")
    try:
        printed = old.play("beside.yml", check=False)
        assert "does not accept its own configuration" in printed
        assert recap(printed)["old"]["changed"] == 0
    finally:
        old.execute("old", "rm /etc/nginx/conf.d/zz.conf")


def test_a_missing_file_is_named(old: Rehearsal):
    printed = old.play("beside.yml", "-e", "beside_server_file=/etc/nginx/none", check=False)
    assert "/etc/nginx/none" in printed
    assert recap(printed)["old"]["changed"] == 0


def test_taken_out_the_server_is_as_before(old: Rehearsal):
    assert recap(old.play("beside-remove.yml"))["old"]["failed"] == 0
    assert old.execute("old", FINGERPRINT) == old.before
    assert "X-Served-By: the old site" in old.execute("old", PAGE)
    # Sockets are the old site's again.
    assert "the old site" in old.execute("old", UPGRADE % "https://old.test")
