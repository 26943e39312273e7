#!/usr/bin/env bash
# Inside the build, in the release's folder: what the site itself can make ready.
set -euo pipefail

# Secrets are of the place where the release will run: here anything will do.
CREDENTIALS_DIRECTORY=$(mktemp -d)
trap 'rm -rf "$CREDENTIALS_DIRECTORY"' EXIT
export CREDENTIALS_DIRECTORY DJANGO_DEBUG=off
. deploy/site.env
for name in secret_key $SITE_SECRETS; do
    [ "$name" = secret_key ] || name=site_${name,,}
    head -c 48 /dev/urandom | base64 -w0 >"$CREDENTIALS_DIRECTORY/$name"
done
install -d static
deploy/run.sh static
# Behind collectstatic, as some sites serve files of theirs; what else they are for is done.
while read -r folder _; do
    [ -z "$folder" ] || find "site/app/$folder" -type d -name node_modules -prune -exec rm -rf {} +
done <<<"${SITE_FRONT_ENDS-}"
deploy/run.sh migrations >/build/migrations.json
