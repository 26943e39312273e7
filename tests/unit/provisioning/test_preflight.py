"""What the plays refuse before anything is changed: their assertions, asked by Ansible."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.provisioning.rendering import ANSIBLE, Server, one, several

Preflight = Callable[..., bool]


@pytest.mark.parametrize(
    ("names", "good"),
    [
        (["example.org"], True),
        (["a.org", "b-c.org"], True),
        ([], False),
        ("example.org", False),
        (["Example.org"], False),
        (["a.org;"], False),
        (["-a.org"], False),
    ],
)
def test_the_names_of_the_site_are_host_names(preflight: Preflight, names: Any, good: bool):
    assert preflight("The site has a name", one(tandem_server_names=names)) is good


@pytest.mark.parametrize(
    ("facts", "good"),
    [
        ({"distribution": "Debian", "distribution_major_version": "12"}, True),
        ({"distribution": "Debian", "distribution_major_version": "13"}, True),
        ({"distribution": "Debian", "distribution_major_version": "11"}, False),
        ({"distribution": "Ubuntu", "distribution_major_version": "12"}, False),
    ],
)
def test_debian_12_and_13_are_supported_and_nothing_else(
    preflight: Preflight, facts: dict[str, str], good: bool
):
    assert preflight("Debian 12 or 13 is supported", one(), ansible_facts=facts) is good


@pytest.mark.parametrize(
    ("change", "good"),
    [({}, True), ({"debian": "bookworm"}, False), ({"architecture": "arm64"}, False)],
)
def test_an_archive_for_another_debian_or_processor_is_refused(
    preflight: Preflight, change: dict[str, str], good: bool
):
    manifest = {"debian": "trixie", "architecture": "amd64", **change}
    read = {"stdout": json.dumps(manifest)}
    name = "The archive was built for this server"
    assert preflight(name, one(), tandem_preflight_manifest=read) is good


def test_a_release_that_is_nowhere_is_refused(preflight: Preflight):
    name = "The release is there, built for this Debian"
    for here in (True, False):
        for there in (True, False):
            found = {
                "tandem_preflight_archive": {"stat": {"exists": here}},
                "tandem_preflight_installed": {"stat": {"exists": there}},
            }
            assert preflight(name, one(), **found) is (here or there)


def test_the_source_of_the_certificate_is_one_of_three(preflight: Preflight):
    for source in ("self-signed", "files", "acme"):
        assert preflight("The source of the certificate is known", one(tandem_tls=source))
    assert not preflight("The source of the certificate is known", one(tandem_tls="letsencrypt"))


def test_a_key_of_another_certificate_is_refused(preflight: Preflight):
    keys = {"tls_certificate_key": {"stdout": "a"}, "tls_key_key": {"stdout": "a"}}
    assert preflight("They belong together", one(), **keys)
    keys["tls_key_key"] = {"stdout": "b"}
    assert not preflight("They belong together", one(), **keys)


def test_an_authority_needs_an_address_and_public_names(preflight: Preflight):
    wanted = {"tandem_tls": "acme", "tandem_server_names": ["example.org"]}
    assert preflight("The names are public ones", one(**wanted, tls_acme_email="a@b.org"))
    private = one(**{**wanted, "tandem_server_names": ["localhost"]})
    assert not preflight("The names are public ones", private)
    name = "There is an address for the certificate authority"
    assert preflight(name, one(**wanted, tls_acme_email="a@b.org"))
    assert not preflight(name, one(**wanted, tls_acme_email=""))


def test_a_site_without_a_part_is_refused(preflight: Preflight):
    name = "Every part of the site has its servers"
    assert preflight(name, several("app1"))
    for group in ("edge", "wsgi", "asgi", "redis", "postgres"):
        server = several("app1")
        server._variables["groups"] = {**server._variables["groups"], group: []}
        assert not preflight(name, server), group


def test_servers_that_share_a_site_need_private_addresses(preflight: Preflight):
    name = "Servers that share a site have private addresses"
    assert preflight(name, several("app1"))
    assert not preflight(name, several("app1"), tandem_private_address="")
    assert not preflight(name, several("app1"), tandem_private_address="app1.internal")


def test_uploads_must_be_seen_by_the_edge(preflight: Preflight):
    assert preflight("Uploads can be seen by the edge", several("app1"))
    assert preflight("Uploads can be seen by the edge", one())
    shared = several("app1", tandem_media_shared=False)
    assert not preflight("Uploads can be seen by the edge", shared)


@pytest.mark.parametrize(("unsafe", "answer", "good"), [
    ([], "refuse", True), (["removes a.b"], "warn", True), (["removes a.b"], "refuse", False),
])  # fmt: skip
def test_migrations_that_the_running_release_cannot_live_with_may_be_refused(
    preflight: Preflight, unsafe: list[str], answer: str, good: bool
):
    name = "The release that still runs can live with the new migrations"
    server = one(deploy_unsafe_migrations=answer)
    assert preflight(name, server, deploy_unsafe=unsafe) is good


def test_a_misspelt_variable_is_named(preflight: Preflight):
    name = "Every variable that begins with tandem_ is known"
    assert preflight(name, one(), preflight_unknown=[])
    assert not preflight(name, one(), preflight_unknown=["tandem_servernames"])


def test_an_instance_that_was_left_behind_is_an_error(preflight: Preflight):
    name = "Every instance runs the release"
    runs = [{"instance": "asgi@1", "runs": "r1"}, {"instance": "asgi@2", "runs": "r1"}]
    server: Server = one()
    assert preflight(name, server, release_instances={"stdout": json.dumps(runs)})
    runs[1]["runs"] = "r0"
    assert not preflight(name, server, release_instances={"stdout": json.dumps(runs)})


def test_a_server_that_was_never_provisioned_gets_no_deploy(preflight: Preflight):
    there = {"deploy_link": {"stat": {"exists": True}}}
    assert preflight("The server is provisioned", one(), **there)
    gone = {"deploy_link": {"stat": {"exists": False}}}
    assert not preflight("The server is provisioned", one(), **gone)


# --- which roles a server gets ---


def roles(playbook: str, play: str) -> list[str]:
    """Return the names of the roles of a play."""
    plays = yaml.safe_load(Path(ANSIBLE / playbook).read_text())
    found = next(p for p in plays if p["name"] == play)
    return [role["role"] if isinstance(role, dict) else role for role in found["roles"]]


def test_every_server_is_hardened_and_every_part_is_installed():
    everywhere = roles("site.yml", "Every server")
    assert {"tools", "base", "ssh", "firewall", "secrets"} <= set(everywhere)
    # Users are let into groups that packages bring; folders and keys are theirs.
    assert everywhere[:3] == ["tandem", "packages", "users"]
    shipped = roles("roll.yml", "Ship the release, beside the one that runs")
    assert shipped == ["tandem", "packages", "users", "site", "release", "instances"]
    stores = roles("site.yml", "Redis, the channel layer, and PostgreSQL")
    assert stores == ["tandem", "redis", "postgres"]
    assert {"tls", "nginx"} <= set(roles("site.yml", "The edge"))


def test_a_server_must_be_known_before_it_is_trusted():
    text = (ANSIBLE / "ansible.cfg").read_text()
    assert "host_key_checking = true" in text
