#!/bin/sh
# Managed by Ansible (role nginx).  What packages may do to services: everything but restart
# nginx, which would let visitors wait; /etc/apt/apt.conf.d/90tandem-nginx has it upgraded
# while it serves.  invoke-rc.d(8)
while [ "${1#--}" != "$1" ]; do shift; done
case "$1:$2" in
nginx:restart | nginx.service:restart | nginx:upgrade | nginx:force-reload) exit 101 ;;
esac
exit 0
