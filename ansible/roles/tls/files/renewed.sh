#!/bin/sh
# certbot runs this when it has a new certificate: nginx gets it, by a reload.
set -eu
umask 027
tls=/etc/tandem/tls
cp "$RENEWED_LINEAGE/privkey.pem" "$tls/privkey.new"
cp "$RENEWED_LINEAGE/fullchain.pem" "$tls/fullchain.new"
chgrp www-data "$tls/privkey.new"
chmod 640 "$tls/privkey.new"
chmod 644 "$tls/fullchain.new"
mv "$tls/privkey.new" "$tls/privkey.pem"
mv "$tls/fullchain.new" "$tls/fullchain.pem"
rm -f "$tls/names" # no longer the self-signed one's
if systemctl --quiet is-active nginx.service; then systemctl reload nginx.service; fi
