#!/usr/bin/env bash
# PostgreSQL on the data of the volume; the first time, make cluster, role and database.
set -euo pipefail

bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/main

if [ ! -s "$data/PG_VERSION" ]; then
    # Elsewhere first, so that an interrupted start leaves no half a cluster.
    new=${data%/*}/new
    rm -rf "$new"
    "$bin/initdb" --pgdata="$new" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth=peer >/dev/null
    "$bin/postgres" --single -D "$new" postgres >/dev/null <<-'SQL'
		CREATE ROLE tandem LOGIN
		CREATE DATABASE tandem OWNER tandem
	SQL
    mv "$new" "$data"
fi
had=$(cat "$data/PG_VERSION") is=$(echo "$bin" | grep -o '[0-9]*' | head -1)
if [ "$had" != "$is" ]; then
    echo "tandem: the data is of PostgreSQL $had and this is $is; dump it with the old release first (docs/replica.md)." >&2
    exit 1
fi
grep -q "^include '/etc/tandem/postgres/tandem.conf'" "$data/postgresql.conf" ||
    echo "include '/etc/tandem/postgres/tandem.conf'" >>"$data/postgresql.conf"
exec "$bin/postgres" -D "$data" --hba_file=/etc/tandem/postgres/pg_hba.conf \
    --ident_file=/etc/tandem/postgres/pg_ident.conf
