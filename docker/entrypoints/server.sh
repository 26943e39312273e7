#!/usr/bin/env bash
# Boot systemd in a container, which must be privileged and have a cgroup namespace.
set -euo pipefail
# The engine may have mounted the old hierarchy, which systemd 256 and newer refuse.
if [ ! -f /sys/fs/cgroup/cgroup.controllers ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
# As on a machine of its own; systemd hands credentials to units by it.
mount --make-rshared /
exec /sbin/init
