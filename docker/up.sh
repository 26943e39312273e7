#!/usr/bin/env bash
# `make up`: everything that can go wrong is tried before what runs is touched, and then
# nothing that serves is stopped before its successor can.  `make roll`: up.sh all, which
# replaces every instance even if nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

renice -n 10 $$ >/dev/null # on a laptop with two cores, the site that runs comes first
still="What ran before is still running."
log=.cache/up.log
mkdir -p .cache

try() { # SENTENCE COMMAND...: when it fails, show its last lines and end with the sentence
    local sentence=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        grep -vE '^ (Container|Network|Volume) |^ *$' "$log" | tail -"${LINES_SHOWN:-8}" >&2 || true
        if grep -qi 'no space left on device' "$log"; then sentence="the disk is full; 'docker system df' shows what could go. $still"; fi
        die "$sentence"
    fi
}
once() { docker compose run --rm --no-deps -T "$@"; }

if [ -n "${SITE:-}" ]; then
    docker/venv.sh
    settings=$(.venv/bin/python docker/site.py "$SITE" "$(setting DEBIAN_RELEASE)") # apart from eval: its failure must end this
    eval "$settings"
fi
TANDEM_RELEASE=${TANDEM_RELEASE:-$(docker/release-name.sh)}
export TANDEM_RELEASE
docker/settings.sh || die "nothing was changed; correct the above and run it again."
docker/engine.sh
exec 9>.cache/lock
flock --nonblock 9 || die "another 'make up' or 'make roll' of this checkout is under way; run it again when that has ended."
docker/ports.sh
docker/build.sh
. docker/instances.sh

# The candidate's configuration, in volumes of its own.
trap 'docker volume rm --force "${project}_candidate" "${project}_candidate-tls" >/dev/null 2>&1 || true' EXIT
candidate=(--volume "${project}_candidate:/etc/tandem/nginx" --volume "${project}_candidate-tls:/etc/tandem/tls")
try "the settings or deploy/routes.yml are wrong. $still" once "${candidate[@]}" first-run
try "nginx does not accept the files of deploy/nginx. $still" once "${candidate[@]}" nginx nginx -t -q
try "the site does not load. $still" once wsgi \
    /srv/tandem/current/deploy/run.sh load

generated() { docker compose exec -T nginx sh -c 'cat /etc/tandem/nginx/*.conf /etc/tandem/tls/fullchain.pem | sha256sum' 2>/dev/null || true; }
generated_before=$(generated)

say "starting."
try "the files that 'make up' generates could not be written. $still" once first-run
try "PostgreSQL or Redis does not start." docker compose up --detach --wait postgres redis
if [ -n "$(stale)" ]; then docker/try.sh; fi
try "a migration failed. $still" once migrate
docker/roll.sh "$@"
# Those that no route needs any more; Compose waits for them in vain.
for kind in "${kinds[@]}"; do
    if [ "$(setting "${kind^^}_INSTANCES")" = 0 ]; then
        retired=$(containers "$kind")
        [ -n "$retired" ] || continue
        try "nginx did not reload." docker/reload.sh # it may still send to them
        # shellcheck disable=SC2086
        { docker stop $retired && docker rm $retired; } >>"$log"
    fi
done
LINES_SHOWN=3 try "not everything is healthy; 'make ps' and 'make logs' show what." \
    docker compose up --detach --wait --remove-orphans

# A new container has read them already; one that was left alone has not.
if [ -n "$generated_before" ] && [ "$generated_before" != "$(generated)" ]; then
    try "nginx did not reload." docker/reload.sh
fi
docker/welcome.sh
