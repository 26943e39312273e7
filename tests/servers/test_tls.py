"""Certificates from an authority (pebble, a real ACME server), and the TLS that is served."""

from __future__ import annotations

import json
import re
import ssl
from socket import create_connection

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.servers.rehearsal import HANG_SECONDS, Rehearsal, recap

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
PEBBLE = """
set -e
apt-get update -qq
DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends pebble testssl.sh >/dev/null
cd /root
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=pebble \
    -addext subjectAltName=DNS:pebble -keyout key.pem -out ca.pem 2>/dev/null
cat >pebble.json <<'JSON'
{"pebble": {"listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000",
 "certificate": "/root/ca.pem", "privateKey": "/root/key.pem", "httpPort": 80, "tlsPort": 443}}
JSON
# Else it refuses one good nonce in twenty, to try its clients, and a second in a row ends certbot.
PEBBLE_WFE_NONCEREJECT=0 PEBBLE_VA_NOSLEEP=1 nohup pebble -config pebble.json >pebble.log 2>&1 &
"""


@pytest.fixture(scope="module")
def authority(trixie: Rehearsal) -> str:
    """Run pebble on a machine of its own; give the CA file that the server trusts it by."""
    name = f"{trixie.name}-pebble"
    trixie.run("docker", "rm", "--force", name, check=False)
    trixie.run(
        "docker", "run", "--detach", "--name", name, "--network", trixie.name,
        "--label", f"tandem.servers={trixie.name}", "--network-alias", "pebble",
        "tandem-server:trixie", "sleep", "infinity",
    )  # fmt: skip
    trixie.execute("pebble", PEBBLE)
    ca = trixie.execute("pebble", "cat /root/ca.pem")
    trixie.execute("trixie", f"cat >/etc/ssl/pebble.pem <<'PEM'\n{ca}\nPEM")
    return "/etc/ssl/pebble.pem"


@pytest.fixture(scope="module")
def options(authority: str) -> tuple[str, ...]:
    """Give the options of a run that gets its certificate from pebble."""
    return (
        "--limit", "trixie", "-e", "tandem_tls=acme", "-e", "tls_acme_email=ops@trixie.test",
        "-e", "tls_acme_directory=https://pebble:14000/dir", "-e", f"tls_acme_ca={authority}",
    )  # fmt: skip


def served(trixie: Rehearsal, field: str) -> str:
    """Return a field of the certificate that nginx serves."""
    return trixie.execute(
        "trixie",
        "echo | openssl s_client -connect 127.0.0.1:443 -servername trixie.test 2>/dev/null"
        f" | openssl x509 -noout -{field}",
    )


def test_an_authority_gives_a_certificate_on_the_first_run(
    trixie: Rehearsal, options: tuple[str, ...]
):
    printed = trixie.provision(*options)
    assert recap(printed)["trixie"]["failed"] == 0
    assert "Pebble" in served(trixie, "issuer")
    assert "DNS:trixie.test" in served(trixie, "ext subjectAltName")
    assert trixie.execute("trixie", "systemctl is-enabled certbot.timer") == "enabled"
    assert recap(trixie.provision(*options))["trixie"]["changed"] == 0


def test_a_renewal_is_served_and_moves_the_open_sockets(trixie: Rehearsal, options):
    """Each is told (1012) to come back through the workers that have the new certificate."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    before = served(trixie, "serial")
    with connect(
        "wss://trixie.test/ws/chat/renewal/?after=0", ssl=tls, origin="https://trixie.test",
        sock=create_connection((trixie.address("trixie"), 443)),
        additional_headers={"Cookie": trixie.site("trixie").cookie},
    ) as socket:  # fmt: skip
        trixie.execute(
            "trixie",
            # The authority asks on connections that it has kept, and one may just end: it says
            # so and is asked again, as certbot's timer does it.
            "export REQUESTS_CA_BUNDLE=/etc/ssl/pebble.pem; for _ in 1 2 3; do"
            " certbot renew --force-renewal --quiet --no-random-sleep-on-renew && exit 0; sleep 2;"
            " done; exit 1",
        )
        assert served(trixie, "serial") != before
        try:
            while True:
                socket.recv(timeout=HANG_SECONDS)
        except ConnectionClosed:
            assert socket.close_code == 1012
        except TimeoutError:
            log = "journalctl --no-pager -o short-precise -n 40 -u nginx -u 'asgi@*'"
            raise AssertionError(trixie.execute("trixie", log)) from None


def test_testssl_finds_no_weakness(trixie: Rehearsal, authority: str):
    trixie.execute(
        "pebble",
        "cd /root && rm -f tls.json && testssl --quiet --color 0 --warnings off"
        " --ip $(getent hosts trixie.test | cut -d' ' -f1)"
        " --protocols --std --server-preference --fs --vulnerable --jsonfile tls.json"
        " trixie.test:443 >tls.log 2>&1; true",
    )
    found = json.loads(trixie.execute("pebble", "cat /root/tls.json"))
    assert len(found) > 30
    # BREACH is about compressed pages, not TLS: Django masks its tokens anew for each
    # answer, which is its cure.  docs/trixie.md
    weak = [
        f"{f['id']}: {f['finding']}"
        for f in found
        if f["severity"] in {"LOW", "MEDIUM", "HIGH", "CRITICAL"} and f["id"] != "BREACH"
    ]
    assert weak == []
    offered = {f["id"]: f["finding"] for f in found}
    assert re.search("not offered", offered["TLS1_1"])
    assert re.search("offered", offered["TLS1_3"])
