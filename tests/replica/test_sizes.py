"""The ladder of sizes (docs/sizes.md): the values in force, and both sides of each boundary."""

from __future__ import annotations

import json
import re
import subprocess

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tandem.ops.routes.force import tokens
from tandem.sizes import HEADER_FIELDS, SIZES
from tests.stack import ROOT, Stack, worker

ADDRESS, COOKIE, HEADER = (SIZES[f"{name}_BYTES"] for name in ("ADDRESS", "COOKIE", "HEADER"))
SIDES = ("wsgi", "asgi")
VERSIONS = ("--http1.1", "--http2")


def ask(stack: Stack, version: str, address: str, *headers: str) -> tuple[int, dict]:
    """Ask with curl, as a program that takes JSON; return status and answer."""
    config = [f'url = "{stack.origin}{address}"', 'header = "Accept: application/json"']
    config += [f'header = "{header}"' for header in headers]
    done = subprocess.run(
        ["curl", "-sk", version, "--max-time", "20", "-w", "\n%{http_code}", "--config", "-"],
        input="\n".join(config), text=True, capture_output=True, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def padded(path: str, size: int) -> str:
    """Return an address of ``size`` bytes."""
    return f"{path}?".ljust(size, "q")


def in_force(stack: Stack, service: str, name: str) -> int:
    """Return a number from the environment of a running instance."""
    text = stack.compose("exec", "-T", service, "sh", "-c", "tr '\\0' '\\n' </proc/1/environ")
    return int(re.findall(rf"^{name}=(\d+)$", text, re.MULTILINE)[0])


# --- in force ---


def test_nginx_has_one_value_for_each_size_in_all_places(stack: Stack):
    conf = stack.compose("exec", "-T", "nginx", "nginx", "-T")

    def values(directive: str) -> list[str]:
        return re.findall(rf"^{directive} (.*?);", conf, re.MULTILINE)

    answer = SIZES["ANSWER_HEADERS_BYTES"]
    assert values("proxy_buffer_size") == [str(answer)]
    assert values("proxy_busy_buffers_size") == [str(answer)]
    assert values("large_client_header_buffers") == [f"{SIZES['HEADERS_BYTES'] // HEADER} {HEADER}"]
    # No location has another, be it for sockets, streams, copies or what is asked again.
    assert len(re.findall(r"^\s*proxy_(?:buffer_size|buffers|busy_buffers_size) ", conf, re.M)) == 3
    assert answer >= 3 * ADDRESS + COOKIE


def test_gunicorn_takes_what_nginx_lets_in(stack: Stack):
    printed = stack.compose(
        "exec", "-T", "-e", "WSGI_APPLICATION=config.wsgi:application", "wsgi", "gunicorn",
        "--print-config", "--config", "/srv/tandem/current/deploy/gunicorn.conf.py",
    )  # fmt: skip
    found = {name: int(n) for name, n in re.findall(r"^(limit_\w+)\s+= (\d+)$", printed, re.M)}
    assert ADDRESS + len("OPTIONS  HTTP/1.1") < found["limit_request_line"] <= 8190
    assert found["limit_request_field_size"] >= SIZES["HEADERS_BYTES"]
    assert found["limit_request_fields"] == HEADER_FIELDS


@pytest.mark.parametrize("service", ["asgi", "notify"])
def test_the_parser_of_handshakes_takes_what_nginx_lets_in(stack: Stack, service: str):
    assert in_force(stack, service, "WEBSOCKETS_MAX_LINE_LENGTH") >= SIZES["HEADERS_BYTES"]
    assert in_force(stack, service, "WEBSOCKETS_MAX_NUM_HEADERS") == HEADER_FIELDS


# --- each boundary, on both sides ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("upstream", SIDES)
@pytest.mark.parametrize(
    ("size", "status"), [(4200, 200), (ADDRESS, 200), (ADDRESS + 1, 414), (40_000, 414)]
)
def test_an_address_is_taken_up_to_its_size(
    stack: Stack, version: str, upstream: str, size: int, status: int
):
    answered, body = ask(stack, version, padded(f"/health/{upstream}/live/", size))
    assert answered == status
    if status == 414:
        assert body["error"] == "Address too long"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("upstream", SIDES)
@pytest.mark.parametrize(
    ("size", "status"), [(9000, 200), (COOKIE, 200), (COOKIE + 1, 431), (40_000, 431)]
)
def test_cookies_are_taken_up_to_their_size(
    stack: Stack, version: str, upstream: str, size: int, status: int
):
    cookie = "Cookie: a=".ljust(len("Cookie: ") + size, "c")
    answered, body = ask(stack, version, f"/health/{upstream}/live/", cookie)
    assert answered == status
    if status == 431:
        assert body["error"] == "Headers too large"


@pytest.mark.parametrize("upstream", SIDES)
def test_cookies_in_parts_are_one_in_size(stack: Stack, upstream: str):
    parts = [f"Cookie: {name}=".ljust(len("Cookie: ") + COOKIE // 2, name) for name in "abc"]
    for count, status in ((1, 200), (3, 431)):
        answered, _ = ask(stack, "--http2", f"/health/{upstream}/live/", *parts[:count])
        assert answered == status


@pytest.mark.parametrize("upstream", SIDES)
# Of a header's line: with its name, ": " and the end.
@pytest.mark.parametrize(("size", "status"), [(HEADER, 200), (HEADER + 1, 431)])
def test_a_header_is_taken_up_to_its_size(stack: Stack, upstream: str, size: int, status: int):
    header = "X-Large: ".ljust(size - 2, "h")
    answer = stack_get(stack, f"/health/{upstream}/live/", {"X-Large": header[9:]})
    assert answer.status_code == status
    assert "<center>" not in answer.text  # nginx' stock page


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("upstream", SIDES)
def test_many_headers_are_no_fewer_for_one_side(stack: Stack, version: str, upstream: str):
    for count in (90, 101, 129, 500):
        headers = [f"X-H{n}: {n}" for n in range(count)]
        assert ask(stack, version, f"/health/{upstream}/live/", *headers)[0] == 200


def test_too_many_headers_get_the_edges_page(stack: Stack):
    answer = stack_get(stack, "/health/wsgi/live/", {f"X-H{n}": "v" * 60_000 for n in range(3)})
    assert answer.status_code == 431
    assert "<h1>Headers too large</h1>" in answer.text


def stack_get(stack: Stack, path: str, headers: dict[str, str]) -> httpx.Response:
    """Ask by HTTP/1.1 without cookies."""
    with stack.client() as client:
        return client.get(path, headers=headers)


# --- answers ---

# Each of them redirects to an address that quotes the query: to WSGI and to ASGI in mode http,
# a stream's, and one that takes sockets as well.
REDIRECTS = ("/chat/lobby/", "/gallery", "/events/ticker", "/legacy/lower-case")


@pytest.mark.parametrize("path", REDIRECTS)
# "&" is %26 where it is quoted; Django itself redirects to 16,384 characters at most.
@pytest.mark.parametrize(("size", "query"), [(1900, "&"), (3900, "&"), (5300, "&"), (ADDRESS, "q")])
def test_a_redirect_that_quotes_the_address_is_passed_on(
    stack: Stack, force: dict[str, str], path: str, size: int, query: str
):
    address = f"{path}?".ljust(size, query)
    for headers in ({}, {"X-Tandem-Upstream": force["asgi"]}):
        answer = stack_get(stack, address, headers)
        assert answer.status_code in (301, 302)
        assert len(answer.headers["Location"]) >= size


@pytest.fixture(scope="module")
def force(stack: Stack) -> dict[str, str]:
    """Give what forces each side."""
    text = stack.compose("exec", "-T", "nginx", "cat", "/etc/tandem/nginx/force.conf")
    return tokens(text)


async def test_a_socket_is_opened_with_all_that_a_request_may_bring(stack: Stack):
    cookie = f"{stack.cookie('demo')}; pad=".ljust(COOKIE, "c")
    for path, upstream in (("/ws/echo/", "asgi"), ("/ws/notifications/", "notify")):
        many = {"Cookie": cookie, **{f"X-H{n}": "v" * 60 for n in range(200)}}
        socket = await stack.socket(padded(path, ADDRESS), additional_headers=many)
        assert worker(socket).startswith(upstream)
        await socket.close()
        with pytest.raises(InvalidStatus) as refused:
            await stack.socket(padded(path, ADDRESS + 1), cookie)
        assert refused.value.response.status_code == 414


# --- forms and names ---


def test_a_form_is_judged_alike_by_both_sides(stack: Stack, force: dict[str, str]):
    with stack.client("demo") as client:
        client.get("/accounts/login/")
        fields = {"csrfmiddlewaretoken": client.cookies["csrftoken"], "username": "demo"}
        found = {}
        for side in SIDES:
            headers = {"X-Tandem-Upstream": force[side], "Referer": stack.origin}
            for size in (SIZES["FORM_BYTES"] - 1000, SIZES["FORM_BYTES"] + 1):
                data = {**fields, "password": "x" * size}
                answer = client.post("/accounts/login/", data=data, headers=headers)
                found.setdefault(size, set()).add(answer.status_code)
    assert [len(codes) for codes in found.values()] == [1, 1]


def test_every_server_has_pages_of_its_own():
    conf = (ROOT / "deploy/nginx/site.conf").read_text()
    servers = re.findall(r"^server \{(.*?)^\}", conf, re.DOTALL | re.MULTILINE)
    assert len(servers) >= 2
    for server in servers:
        for snippet in ("sizes", "errors", "error-pages"):
            assert f"snippets/{snippet}.conf" in server
