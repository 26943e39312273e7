"""An existing Django site, described by one file: ``tandem.yml`` (docs/adopt.md)."""
