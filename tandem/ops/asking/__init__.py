"""Ask a site of others what it is, in its own image (docs/adopt.md)."""
