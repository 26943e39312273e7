"""Plant each listed fault in a copy of the checkout, and see that its test goes red.

Usage: ``make mutants ARGS='[--area A] [--layer L] [--fault NAME] [--again] [--list]'``

An interrupted run goes on where it was, as long as the checkout has not changed.  The
results stay in ``.cache/mutants/results.json``.  Exits 0 when every chosen fault was killed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.checkout import CACHE, ROOT
from tests.mutants.faults import LAYERS, Fault, load
from tests.mutants.run import Copy, Outcome, as_json, green, plant

FOLDER = CACHE / "mutants"
RESULTS = FOLDER / "results.json"


def main(arguments: list[str] | None = None) -> int:
    """Run, print a line for each fault and a table, and return the exit status."""
    options = parser().parse_args(arguments)
    faults = [fault for fault in load() if chosen(fault, options)]
    if not faults:
        print("tandem: no fault is called so; --list shows all.", file=sys.stderr)
        return 2
    if options.list:
        for fault in faults:
            print(f"{fault.name:50} {fault.layer:8} {fault.promise}")
        return 0
    if wrong := [sentence for fault in faults for sentence in fault.complaints()]:
        print("\n".join(wrong), file=sys.stderr)
        return 2
    results = {} if options.again else remembered()
    state = digest()
    todo = [f for f in faults if results.get(f.name, {}).get("key") != f"{f.key}/{state}"]
    print(f"{len(faults)} faults, {len(faults) - len(todo)} of them known from before.", flush=True)
    try:
        for layer in LAYERS:
            run_layer([fault for fault in todo if fault.layer == layer], results, state)
    except KeyboardInterrupt:
        print("tandem: interrupted; the same command goes on from here.", file=sys.stderr)
    print(table(faults, results))
    return 0 if all(results.get(f.name, {}).get("state") == "killed" for f in faults) else 1


def parser() -> argparse.ArgumentParser:
    """Return what the command line may say."""
    found = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=__doc__.split("\n")[0]
    )
    found.add_argument("--area", action="append", help="nginx, systemd, … (several times)")
    found.add_argument("--layer", action="append", choices=LAYERS)
    found.add_argument("--fault", action="append", help="one of --list, or how its name begins")
    found.add_argument("--again", action="store_true", help="forget the results of before")
    found.add_argument("--list", action="store_true", help="only show the faults")
    return found


def chosen(fault: Fault, options: argparse.Namespace) -> bool:
    """Tell whether the command line means ``fault``."""
    return (
        (not options.area or fault.area in options.area)
        and (not options.layer or fault.layer in options.layer)
        and (not options.fault or any(fault.name.startswith(name) for name in options.fault))
    )


def run_layer(faults: list[Fault], results: dict[str, dict], state: str) -> None:
    """Plant the faults of one layer and note each result at once."""
    if not faults:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Stacks are named after their folder: those of an interrupted run are found again.
    stacks = faults[0].layer in ("replica", "servers")
    folder = FOLDER / "checkout" if stacks else Path(tempfile.mkdtemp(dir=FOLDER))
    copy = Copy.make(folder)
    try:
        print(
            f"{faults[0].layer}: {len({f.test for f in faults})} tests without a fault …",
            flush=True,
        )
        red = green(copy, faults)
        # Next to each other: those that change the same file leave the rest of a stack alone.
        for fault in sorted(faults, key=lambda fault: fault.file):
            if fault.test in red:
                outcome = Outcome("error", f"is red without the fault: {red[fault.test]}", 0)
            else:
                outcome = plant(copy, fault)
            results[fault.name] = {"key": f"{fault.key}/{state}", **as_json(outcome)}
            remember(fault.name, results[fault.name])
            note = "" if outcome.state == "killed" else f": {outcome.says}"
            print(f"{outcome.state:8} {fault.name} ({outcome.seconds} s){note}", flush=True)
    finally:
        if stacks:
            copy.clean()
        else:
            shutil.rmtree(folder)


def remembered() -> dict[str, dict]:
    """Return the results of before."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def remember(name: str, result: dict) -> None:
    """Add a result; another run, of another area, may be adding its own."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        RESULTS.write_text(json.dumps({**remembered(), name: result}, indent=1))


def digest() -> str:
    """Return a digest of the checkout, but for the list of faults itself and pages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
         "--", ":!docs/*.md", ":!README.md", ":!tests/mutants/faults"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = hashlib.sha256()
    for name in sorted(filter(None, listed.split("\0"))):
        path = Path(ROOT / name)
        if path.is_file():
            found.update(name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def table(faults: list[Fault], results: dict[str, dict]) -> str:
    """Return killed and planted by area, and by name those that were not killed."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    left = []
    for fault in faults:
        result = results.get(fault.name, {"state": "not run", "says": ""})
        killed = result["state"] == "killed"
        for row in (fault.area, "all"):
            counts[row][0] += killed
            counts[row][1] += 1
        if not killed:
            left.append(f"{result['state']}: {fault.name}, of which {fault.test} should tell")
    rows = [f"{'area':10} killed / planted"]
    rows += [
        f"{area:10} {counts[area][0]:6} / {counts[area][1]}"
        for area in [*sorted(counts.keys() - {"all"}), "all"]
    ]
    return "\n".join(["", *rows, *left])


if __name__ == "__main__":
    sys.exit(main())
