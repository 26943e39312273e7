"""What the access logs tell about each route, and whether a canary is good."""
