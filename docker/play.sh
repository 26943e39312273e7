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
# One Python stays on each server for the whole run: a run costs less than half (docs/servers.md).
# ANSIBLE_STRATEGY=linear: as Ansible alone does it.
if [ "${ANSIBLE_STRATEGY:=mitogen_linear}" = mitogen_linear ]; then
    ANSIBLE_STRATEGY_PLUGINS=$(.venv/bin/python -c 'import ansible_mitogen as m; print(m.__path__[0] + "/plugins/strategy")')
    export ANSIBLE_STRATEGY ANSIBLE_STRATEGY_PLUGINS
    # It says so of every strategy that is not its own.
    export ANSIBLE_DEPRECATION_WARNINGS=false
fi
cd ansible
exec ../.venv/bin/ansible-playbook "${inventory[@]}" "$@"
