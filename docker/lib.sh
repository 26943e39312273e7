# shellcheck shell=bash
# Shared by the scripts of this folder; run from the repository's root.

say() { echo "tandem: $*" >&2; }
die() { say "$*"; exit 1; }

# The value of a setting: the shell's, else .env's.
setting() {
    local from_file
    from_file=$(sed -n "s/^$1=//p" .env)
    echo "${!1-$from_file}"
}
