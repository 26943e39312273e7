#!/usr/bin/env bash
# `make verify`: testinfra's specifications on the servers of INVENTORY (the rehearsal's,
# if none is given), for the site that SITE names.  Reads only.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

inventory=()
options=$(docker/inventory.sh) # apart from eval: its failure must end this
eval "$options"
if [ -n "${SITE:-}" ]; then
    settings=$(.venv/bin/python docker/site.py "$SITE") # apart from eval: its failure must end this
    eval "$settings"
fi
export PATH=$PWD/.venv/bin:$PATH ANSIBLE_CONFIG=$PWD/ansible/ansible.cfg
merged=$(mktemp --suffix=.yml)
trap 'rm -f "$merged"' EXIT
# testinfra takes one inventory.
(cd ansible && ../.venv/bin/ansible-inventory "${inventory[@]}" --list --yaml) >"$merged"
.venv/bin/python -m pytest tests/servers/specs --hosts=ansible://all --ansible-inventory="$merged" "$@"
