"""A run of the tests of servers ends what it has started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.checkout import ROOT
from tests.stack import wait_for

# A child in a session of its own, which ignores SIGTERM and has a child itself.
CHILD = (
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
)
# A run, which starts that and ends it: prints both processes' ids.
RUN = f"""
import subprocess, sys
from tests.servers import cleaning
child = subprocess.Popen(
    [sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE, text=True, start_new_session=True
)
print(child.pid, child.stdout.readline())
cleaning.end_children(seconds=0.5)
"""


def test_children_of_children_end_even_those_that_ignore_it():
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=ROOT, text=True, capture_output=True, check=True
    )
    child, grandchild = done.stdout.split()
    for pid in (child, grandchild):
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists())
