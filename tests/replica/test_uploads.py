"""Uploads: the limit is exact, the memory flat, and what was uploaded harmless."""

from __future__ import annotations

import re

from tests.stack import Stack

LIMIT = 25 * 1024 * 1024


def post(client, content: bytes, name: str = "file.bin"):
    client.get("/upload/")
    return client.post(
        "/upload/",
        data={"csrfmiddlewaretoken": client.cookies["csrftoken"]},
        files={"file": (name, content)},
        headers={"Referer": str(client.base_url)},
    )


def peak_memory(stack: Stack) -> int:
    """Return the sum of the peak resident sizes, in bytes, of all processes on the way."""
    script = "cat /proc/[0-9]*/status | grep VmHWM"
    out = "".join(
        stack.run("docker", "exec", stack.container(f"{service}-{n}"), "sh", "-c", script).stdout
        for service, n in [("nginx", 1), ("wsgi", 1), ("wsgi", 2)]
    )
    return sum(int(kib) for kib in re.findall(r"VmHWM:\s+(\d+) kB", out)) * 1024


def test_a_file_of_the_limit_is_taken_without_memory_that_grows_with_it(stack: Stack):
    with stack.client("demo") as client:
        for _ in range(8):  # every worker has served an upload before
            assert post(client, b"warm-up").status_code == 302
        before = peak_memory(stack)
        assert post(client, b"x" * LIMIT).status_code == 302
        assert peak_memory(stack) - before < LIMIT / 2
        served = client.get(re.findall(r'href="(/media/[^"]+)"', client.get("/upload/").text)[0])
    assert len(served.content) == LIMIT
    assert served.headers["X-Upstream"] == "edge"


def test_one_byte_over_gets_the_413_page(stack: Stack):
    with stack.client("demo") as client:
        answer = post(client, b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    assert "25" in answer.text


def test_a_body_far_over_is_refused_by_the_edge(stack: Stack):
    with stack.client("demo") as client:
        answer = post(client, b"x" * (LIMIT + 1024 * 1024))
    assert answer.status_code == 413
    assert answer.headers["X-Upstream"] == "edge"
    assert "<h1>Too large</h1>" in answer.text


def test_an_uploaded_page_cannot_act_as_the_site(stack: Stack):
    with stack.client("demo") as client:
        assert post(client, b"<script>alert(1)</script>", "evil.html").status_code == 302
        url = re.findall(r'href="(/media/[^"]*evil[^"]*)"', client.get("/upload/").text)[0]
        answer = client.get(url)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
