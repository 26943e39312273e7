"""Health endpoints that any Django site can include: ``tandem.health.urls``."""
