#!/usr/bin/env bash
# The real servers that tests talk to. As root on Debian what is missing is installed; elsewhere a line says which
# tests will be skipped. With CI=true nothing may be skipped, so a missing one is a failure.
set -euo pipefail

# program:Debian package
wanted="chromium:chromium node:nodejs npm:npm redis-server:redis-server nginx:nginx postgres:postgresql"

has() {
    command -v "$1" >/dev/null && return
    [ -x "/usr/sbin/$1" ] && return # Debian keeps daemons off an ordinary user's PATH
    [ "$1" = postgres ] && compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

install() {
    # RUNLEVEL=1: the packages' own services stay down, tests start theirs.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1
}

missing=()
for pair in $wanted; do
    has "${pair%%:*}" || missing+=("${pair##*:}")
done
[ "${#missing[@]}" = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "test: installing ${missing[*]}"
    install "${missing[@]}" || { apt-get update -q >/dev/null 2>&1 && install "${missing[@]}"; } || true
fi

status=0
for pair in $wanted; do
    has "${pair%%:*}" && continue
    echo "test: no ${pair%%:*}: the tests that need it are skipped (apt-get install ${pair##*:})" >&2
    [ "${CI:-}" = true ] && status=1
done
exit "$status"
