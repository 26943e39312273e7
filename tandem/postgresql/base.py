"""What Django looks for in a backend."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from django.utils.asyncio import async_unsafe

from tandem.postgresql.waiting import patiently


class DatabaseWrapper(base.DatabaseWrapper):
    """Waits where Django would connect once."""

    @property
    def pool(self) -> Any:
        """Return Django's pool, whose connections wait as well."""
        options = self.settings_dict["OPTIONS"]
        if options.get("pool"):
            from tandem.postgresql.pool import PatientConnection  # pools need psycopg 3

            own = options["pool"] if isinstance(options["pool"], dict) else {}
            options["pool"] = {"connection_class": PatientConnection, **own}
        return super().pool  # type: ignore[misc]

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, patiently; a pool does so by itself."""
        if self.pool:
            return super().get_new_connection(conn_params)
        return patiently(lambda: super(DatabaseWrapper, self).get_new_connection(conn_params))
