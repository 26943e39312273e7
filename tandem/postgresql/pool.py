"""Connections of a pool, whose own waits between two attempts double from one second on."""

from __future__ import annotations

from typing import Any, Self

import psycopg

from tandem.postgresql.waiting import patiently


class PatientConnection(psycopg.Connection[Any]):
    """The ``connection_class`` of a pool."""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect, patiently."""
        return patiently(lambda: super(PatientConnection, cls).connect(conninfo, **options))
