"""What a run has found: as JSON, and for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.load.drains import Drain
from tests.soak.faults import Fault

Memory = dict[str, int]  # KiB of each container


def broken(fault: Fault, found: dict[str, Any], held: dict[str, Any], count: int) -> list[str]:
    """Return the promises that a fault has broken, each as a sentence."""
    wrong = [
        f"{len(found[what])} messages were {what}: {found[what][:5]}"
        for what in ("lost", "doubled", "missed")
        if found[what]
    ]
    if found["stuck"]:
        wrong.append(f"{len(found['stuck'])} chat sockets did not come back: {found['stuck'][:5]}")
    if held["open"] < count:
        wrong.append(f"{count - held['open']} of the {count} held sockets did not come back")
    # That nobody answered in time depends on the machine: told, and no promise.
    failures = found["failures"] - found["late"]
    if fault.unnoticed and failures:
        wrong.append(f"{failures} requests failed: {found['failed'][:5]}")
    refused = [why for why in found["refused"] if not why[0].startswith("TimeoutError")]
    if fault.unnoticed and refused:
        wrong.append(f"chat sockets were refused: {refused}")
    return wrong


def uneven(drains: list[Drain], window: float) -> list[str]:
    """Return the drains in which sockets did not wait for their turn."""
    return [f"not in turn: {drain}" for drain in drains if not drain.was_even(window)]


class Report:
    """Grows with each fault, and is written each time: an interrupted run has one, too."""

    def __init__(self, file: Path, seed: int, clients: int) -> None:
        self.file = file
        self.data: dict[str, Any] = {
            "seed": seed, "clients": clients, "conformance": [], "faults": [], "broken": [],
            "memory_kib": {},
        }  # fmt: skip

    def conformance(self, cases: int, wrong: list[str]) -> None:
        """Note a pass over all cases."""
        self.data["conformance"].append({"cases": cases, "wrong": wrong})
        self._note("conformance", wrong)

    def fault(
        self, name: str, found: dict[str, Any], closed: dict[str, int], wrong: list[str]
    ) -> None:
        """Note what a fault did; ``closed``: the held sockets' closes, by code."""
        row = {
            "fault": name, "seconds": found["event_s"], "requests": found["requests"],
            "failed": found["failures"], "late": found["late"], "refused": found["refused"],
            "messages": found["messages"], "posts": found["posts"],
            **{what: len(found[what]) for what in ("lost", "doubled", "missed", "stuck")},
            "chat_closes": found["closes"], "held_closes": closed,
            "slowest_return_s": found["slowest_return_s"], "failures": found["failed"],
        }  # fmt: skip
        self.data["faults"].append(row)
        self._note(name, wrong)
        closes = sum(found["closes"].values()) + sum(closed.values())
        print(
            f"{name:26} {row['seconds']:7.1f} s  {row['requests']:6} requests, "
            f"{row['failed']} failed ({row['late']} late);  "
            f"{row['messages']} messages, {row['posts']} posts, "
            f"{row['lost']} lost, {row['doubled']} doubled, {row['missed']} missed;  "
            f"{closes} closes, {row['stuck']} not back;  {len(wrong)} broken",
            flush=True,
        )

    def memory(self, now: Memory) -> None:
        """Note the memory of the containers; the first time is what growth is counted from."""
        for name, kib in now.items():
            seen = self.data["memory_kib"].setdefault(name, {"first": kib, "most": kib})
            seen |= {"last": kib, "most": max(kib, seen["most"])}
        self._write()

    def end(self) -> int:
        """Print what is left to say; return the exit status."""
        print(f"\n{'container':12}{'first MiB':>12}{'last':>10}{'most':>10}{'growth':>10}")
        for name, seen in sorted(self.data["memory_kib"].items()):
            first, last, most = (seen[key] / 1024 for key in ("first", "last", "most"))
            print(f"{name:12}{first:12.1f}{last:10.1f}{most:10.1f}{last - first:10.1f}")
        for pass_ in self.data["conformance"]:
            print(f"RFC 6455: {pass_['cases']} cases, {len(pass_['wrong'])} wrong")
        print(f"\n{len(self.data['faults'])} faults, seed {self.data['seed']}: {self.file}")
        for sentence in self.data["broken"]:
            print(f"BROKEN {sentence}")
        return bool(self.data["broken"])

    def _note(self, what: str, wrong: list[str]) -> None:
        self.data["broken"] += [f"{what}: {sentence}" for sentence in wrong]
        self._write()

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.data, indent=1))
