#!/bin/sh
# Start nginx on the sockets that systemd holds (ports 80 and 443, IPv4 and IPv6, and the
# shadow's), by nginx' own way of handing them on.  They stay open whatever becomes of nginx.
#
# Not by exec: nginx takes the signal to change its binary (upgrade.sh) only when its parent
# is no longer the one that started it.
set -eu
rm -f /run/nginx/nginx.pid # one that was killed leaves it
NGINX=$(seq -s : 3 $((2 + LISTEN_FDS))):
export NGINX
/usr/sbin/nginx -g 'daemon off; pid /run/nginx/nginx.pid;' &
until [ -s /run/nginx/nginx.pid ]; do
    kill -0 $! # it says itself why it ended
    sleep 0.02
done
