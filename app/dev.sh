#!/usr/bin/env bash
# `make dev`: the site alone, without containers: SQLite, in-memory layer, auto-reload.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${DEV_PORT:-8000}
if .venv/bin/python -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
    echo "tandem: port $port is taken; choose another: make dev DEV_PORT=8001" >&2 && exit 1
fi
mkdir -p .dev/media
export DJANGO_DEBUG=on DEV_DATABASE=$PWD/.dev/db.sqlite3 MEDIA_ROOT=$PWD/.dev/media
export ALLOWED_ORIGINS=http://localhost:$port,http://127.0.0.1:$port PYTHONPATH=$PWD:$PWD/app
export DJANGO_SETTINGS_MODULE=config.settings TANDEM_UPSTREAM=dev
.venv/bin/python app/manage.py migrate --noinput -v0
.venv/bin/python app/manage.py demo_users
echo >&2 "tandem: http://localhost:$port/ (login demo / demo); Ctrl+C ends it."
exec .venv/bin/uvicorn config.asgi:application --app-dir app --port "$port" --reload \
    --reload-dir app --reload-dir tandem --lifespan off --log-level warning
