"""Checks of a site, before it is served."""
