"""What stands between Tandem and a site whose code is not changed (docs/adopt.md)."""

MADE = "made"  # as an application in tandem.yml: the site has none, so Django's own is made
# The setting that says where a site's repository keeps static files collected.
COLLECTED = "TANDEM_COLLECTED"
