"""Tandem: serve a Django site on a WSGI and an ASGI server at once."""
