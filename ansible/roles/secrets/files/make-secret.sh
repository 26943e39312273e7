#!/bin/sh
# Make a random secret in a file that only root can read: make-secret.sh FILE
# Whole or not at all: an interrupted run leaves no empty secret.
set -eu
umask 077
python3 -c 'import secrets; print(secrets.token_urlsafe(48))' >"$1.new"
mv "$1.new" "$1"
