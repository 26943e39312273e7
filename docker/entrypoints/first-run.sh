#!/usr/bin/env bash
# Make, once, what a server gets from its provisioning: the site's secrets, the key of its
# staff's tokens and a certificate for its names; and write nginx's generated files, each time.
set -euo pipefail
umask 077

# shellcheck source=deploy/site.env
SITE_STATIC=$(. /srv/tandem/current/deploy/site.env && echo "$SITE_STATIC")
export SITE_STATIC
# shellcheck source=deploy/site.env
names=$(. /srv/tandem/current/deploy/site.env && for name in $SITE_SECRETS; do echo "site_${name,,}"; done)
for name in secret_key force_key $names; do
    key=/etc/tandem/credentials/$name
    if [ ! -s "$key" ]; then
        python -c 'import secrets; print(secrets.token_urlsafe(48))' >"$key.new"
        mv "$key.new" "$key"
    fi
done
self-signed.sh /etc/tandem/tls "$SERVER_NAMES"

umask 022
# Beside those of the release before, whose pages are still open somewhere.
cp -r /srv/tandem/current/static/. /srv/tandem/static/
cd /srv/tandem/current # messages name the file as the checkout does
python -m tandem.ops.nginx.generate deploy/routes.yml /etc/tandem/nginx
python -m tandem.ops.routes.force /etc/tandem/credentials/force_key /etc/tandem/nginx/force.conf >/dev/null
