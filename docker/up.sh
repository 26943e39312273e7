#!/usr/bin/env bash
# `make up`: everything that can go wrong is tried before what runs is touched, and then
# nothing that serves is stopped before its successor can.  `make roll`: up.sh all, which
# replaces every instance even if nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

renice -n 10 $$ >/dev/null # on a laptop with two cores, the site that runs comes first
mkdir -p .cache
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
docker/owner.sh
docker/ports.sh
docker/build.sh
. docker/instances.sh
. docker/steps.sh

# What ended well the last time, and serves, is neither tried nor migrated again.
images=.cache/images-$project known=.cache/up-$project # the former say what of (docker/build.sh)
if cmp -s "$images" "$known" && all_serve; then changed=""; else changed=1; fi
[ -z "$changed" ] || docker/candidate.sh

generated() { docker compose exec -T nginx sh -c 'cat /etc/tandem/nginx/*.conf /etc/tandem/tls/fullchain.pem | sha256sum' 2>/dev/null || true; }
generated_before=$(generated)

say "starting."
try "the files that 'make up' generates could not be written. $still" once first-run
if [ -n "$changed" ]; then
    try "PostgreSQL or Redis does not start." docker compose up --detach --wait postgres redis
    if [ -n "$(stale)" ]; then docker/try.sh; fi
    try "a migration failed. $still" once migrate
    rm -f "$known"
    docker/roll.sh "$@"
    docker/retire.sh
elif [ "${1-}" = all ]; then
    docker/roll.sh all
fi
LINES_SHOWN=3 try "not everything is healthy; 'make ps' and 'make logs' show what." \
    docker compose up --detach --wait --remove-orphans

# A new container has read them already; one that was left alone has not.
if [ -n "$generated_before" ] && [ "$generated_before" != "$(generated)" ]; then
    try "nginx did not reload." docker/reload.sh
fi
cp "$images" "$known"
docker/published.sh mend
docker/welcome.sh
