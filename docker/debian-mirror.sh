#!/usr/bin/env bash
# Print the Debian mirror that this machine's own apt already uses, so that no
# mirror's address is written in the repository.
set -euo pipefail
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
if [ -z "$mirror" ]; then
    echo "tandem: this machine's apt has no Debian mirror; add one to /etc/apt/sources.list and run 'apt-get update'." >&2
    exit 1
fi
echo "$mirror"
