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
deploy/run.sh migrations >/build/migrations.json
