"""Django's PostgreSQL backend that waits for a server which restarts: ``ENGINE``."""

from contextvars import ContextVar

# Seconds for which whoever connects waits; a health check, which is to tell, sets 0.
patience: ContextVar[float] = ContextVar("patience", default=5.0)
