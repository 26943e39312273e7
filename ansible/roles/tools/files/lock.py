#!/usr/bin/env python3
"""Keep the deploy lock: lock.py show | take HOLDER [DEAD] | drop HOLDER.

HOLDER is JSON with an "id".  *Take* fails (1) and prints the present holder, unless its
id is DEAD: whoever has found out that it is dead says so.  In /run: a reboot forgets it.
"""

import fcntl
import json
import os
import sys
from pathlib import Path

PATH = Path("/run/tandem-deploy.json")


def main() -> None:
    """Do what the command line says."""
    file = os.fdopen(os.open(PATH, os.O_RDWR | os.O_CREAT, 0o644), "r+")
    fcntl.flock(file, fcntl.LOCK_EX)
    text = file.read()
    present = json.loads(text) if text else {}
    match sys.argv[1:]:
        case ["show"]:
            print(text)
            return
        case ["take", holder, *dead]:
            if present and present["id"] not in (json.loads(holder)["id"], *dead):
                print(text)
                sys.exit(1)
            text = holder
        case ["drop", holder]:
            text = "" if present.get("id") == json.loads(holder)["id"] else text
        case _:
            sys.exit("usage: lock.py show | take HOLDER [DEAD] | drop HOLDER")
    file.seek(0)
    file.truncate()
    file.write(text)


main()
