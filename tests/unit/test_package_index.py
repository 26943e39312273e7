"""docker/uv.py: uv takes packages from where this machine's pip does."""

from __future__ import annotations

import importlib.util

import pytest

from tests.stack import ROOT

specification = importlib.util.spec_from_file_location("docker_uv", ROOT / "docker/uv.py")
assert specification is not None
assert specification.loader is not None
uv = importlib.util.module_from_spec(specification)
specification.loader.exec_module(uv)


@pytest.mark.parametrize(
    ("option", "variable", "value"),
    [
        ("index-url='https://me:x@pip.example'", "UV_DEFAULT_INDEX", "https://me:x@pip.example"),
        ("extra-index-url='https://a https://b'", "UV_INDEX", "https://a https://b"),
        ("extra-index-url='\\nhttps://a\\nhttps://b'", "UV_INDEX", "https://a https://b"),
        ("find-links='/wheels /more'", "UV_FIND_LINKS", "/wheels,/more"),
        ("proxy='http://proxy.example:3128'", "ALL_PROXY", "http://proxy.example:3128"),
        ("cert='/etc/ssl/company.pem'", "SSL_CERT_FILE", "/etc/ssl/company.pem"),
    ],
)  # fmt: skip
def test_an_option_of_pip_becomes_a_variable_of_uv(option: str, variable: str, value: str):
    assert uv.variables(f"global.{option}\n")[variable] == value


def test_the_environment_wins_over_install_and_install_over_global():
    listing = (
        ":env:.index-url='https://third'\nglobal.index-url='https://first'\n"
        "global.cert='/first'\ninstall.index-url='https://second'\ninstall.cert='/second'\n"
    )
    found = uv.variables(listing)
    assert found["UV_DEFAULT_INDEX"] == "https://third"
    assert found["SSL_CERT_FILE"] == "/second"


def test_what_does_not_say_where_packages_come_from_is_left_out():
    listing = "global.constraint='/c.txt'\nlist.format='columns'\n:env:.quiet='1'\n"
    assert uv.variables(listing) == uv.variables("")
