# shellcheck shell=bash
# Shared by the scripts of this folder; run from the repository's root.

say() { echo "tandem: $*" >&2; }
die() { say "$*"; exit 1; }
