#!/bin/sh
# Start nginx on the ports that nginx.socket holds (80 and 443, IPv4 and IPv6: descriptors 3
# to 6), by nginx' own way of handing sockets on.  They stay open whatever becomes of nginx.
#
# Not by exec: nginx takes the signal to change its binary (upgrade.sh) only when its parent
# is no longer the one that started it.
set -eu
rm -f /run/nginx/nginx.pid /run/nginx/shadow.sock # one that was killed leaves them
NGINX='3:4:5:6:' /usr/sbin/nginx -g 'daemon off;' &
until [ -s /run/nginx/nginx.pid ]; do
    kill -0 $! # it says itself why it ended
    sleep 0.02
done
