#!/usr/bin/env bash
# Try the new files before anything that runs is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh
. docker/steps.sh

# The candidate's configuration, in volumes of its own.
volumes=("${project}_candidate" "${project}_candidate-tls")
trap 'docker volume rm --force "${volumes[@]}" >/dev/null 2>&1 || true' EXIT
candidate=(--volume "${volumes[0]}:/etc/tandem/nginx" --volume "${volumes[1]}:/etc/tandem/tls")
try "the settings or deploy/routes.yml are wrong. $still" once "${candidate[@]}" first-run
try "nginx does not accept the files of deploy/nginx. $still" once "${candidate[@]}" nginx nginx -t -q
try "the site does not load. $still" once wsgi /srv/tandem/current/deploy/run.sh load
