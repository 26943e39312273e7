"""Servers: playbooks on an inventory's, and a rehearsal's, which are booted on this machine."""
