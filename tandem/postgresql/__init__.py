"""Django's PostgreSQL backend that waits for a server which restarts: ``ENGINE``."""

import os
from contextvars import ContextVar

# Seconds for which whoever connects waits; a health check, which is to tell, sets 0.
PATIENCE_SECONDS = float(os.environ.get("DATABASE_PATIENCE_SECONDS", "5"))
patience: ContextVar[float] = ContextVar("patience", default=PATIENCE_SECONDS)
