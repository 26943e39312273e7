#!/usr/bin/env bash
# Run a playbook on INVENTORY, or on the rehearsal's servers: play.sh site.yml [OPTION…]
set -euo pipefail
cd "$(dirname "$0")/.."

inventory=()
options=$(docker/inventory.sh) # apart from eval: its failure must end this
eval "$options"
if [ -n "${SITE:-}" ]; then
    settings=$(.venv/bin/python docker/site.py "$SITE") # apart from eval: its failure must end this
    eval "$settings"
    inventory+=(--extra-vars "@$SITE_VARIABLES")
fi
cd ansible
exec ../.venv/bin/ansible-playbook "${inventory[@]}" "$@"
