#!/usr/bin/env bash
# Have the running nginx route by another file, within about a second: routes.sh [FILE]
# What nginx does not accept changes nothing.  `make up` would do the same, and all else.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh

routes=${1:-deploy/routes.yml}
mkdir -p .cache
exec 9>.cache/lock
flock --nonblock 9 || die "another command of this checkout changes the replica; run it again when that has ended."
nginx=$(containers nginx | head -1)
[ -n "$nginx" ] || die "the replica does not run, so nothing was changed; 'make up' starts it."

# What nginx's volume can be written by starts meanwhile, and waits for a word.
coproc writer { exec docker run --rm --interactive --network none --volume "${project}_nginx-config:/etc/tandem/nginx" \
    "$project-first-run" sh -euc 'cd /etc/tandem/nginx; trap "rm -rf .next" EXIT; mkdir -p .next; tar -xC .next; chmod 644 .next/*.conf; mv .next/*.conf .' 2>.cache/routes.log 9>&-; }
# shellcheck disable=SC2154
say_to=${writer[1]} writer_is=$writer_PID

next=$(mktemp -d)
trap 'rm -rf "$next"' EXIT
settings=()
while IFS= read -r name; do settings+=("$name=$(setting "$name")"); done < <(sed -n 's/^\([A-Z_]*\)=.*/\1/p' .env)
# As 'make up' has found it in the site.
static=$(docker exec "$nginx" sh -c 'grep -q snippets /etc/tandem/nginx/static.conf && echo on || true')
env "${settings[@]}" SITE_STATIC="$static" "${TANDEM_PYTHON:-.venv/bin/python}" -m tandem.ops.nginx.generate "$routes" "$next" ||
    die "nothing was changed; correct the above and run it again."
rmdir "$next/routes.d"

# shellcheck disable=SC2016
tar -cC "$next" . | docker exec --interactive "$nginx" sh -uc '
    rm -rf /tmp/next && mkdir /tmp/next && cp -r /etc/nginx/tandem /tmp/next/static &&
    cp -r /etc/tandem/nginx /tmp/next/generated && tar -xC /tmp/next/generated &&
    find /tmp/next -name "*.conf" -exec sed -i \
        "s#/etc/nginx/tandem/#/tmp/next/static/#; s#/etc/tandem/nginx/#/tmp/next/generated/#" {} + &&
    said=$(nginx -t -q -c /tmp/next/static/nginx.conf 2>&1)
    status=$?
    [ $status = 0 ] || echo "$said"
    rm -rf /tmp/next
    exit $status' >&2 || die "nginx does not accept that (above); it still routes as before."

tar -cC "$next" . >&"$say_to"
exec {say_to}>&-
wait "$writer_is" || { cat .cache/routes.log >&2; die "nginx's files could not be written; it still routes as before."; }
docker/reload.sh
