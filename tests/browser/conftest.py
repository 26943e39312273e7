"""A real browser in front of the replica."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.stack import Stack


@pytest.fixture(scope="module")
def browser(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start Debian's Chromium where no network changes but nginx' own.

    It drops what it is loading (ERR_NETWORK_CHANGED) whenever an interface of its machine
    comes or goes, as at each start of anybody's container.
    """
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    inside = tmp_path_factory.mktemp("browser") / "chromium"
    network = f"nsenter --target {stack.inspect('nginx-1')['State']['Pid']} --net"
    inside.write_text(f'#!/bin/sh\nexec {network} {chromium} "$@"\n')
    inside.chmod(0o755)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=inside if os.geteuid() == 0 else Path(chromium),
            args=[
                "--no-sandbox",
                "--disable-quic",
                "--disable-background-networking",
                *([f"--host-resolver-rules=MAP localhost:{stack.https_port} 127.0.0.1:443"]
                  if os.geteuid() == 0 else []),
            ],
        )  # fmt: skip
        yield browser
        browser.close()
