# Empties PostgreSQL's data directory $2 of the project in $1, if its making was cut short.
set -eu
cd "$1"
# The first server that starts leaves postmaster.opts; databases other than PostgreSQL's own have numbers from 16384.
# What cannot be listed may hold one. Source: initdb, which makes base before PG_VERSION.
is_unfinished() { there=$(ls "$1" "$1/base") && ! printf '%s\n' "$there" | grep -q -x -e postmaster.opts -e '[0-9]\{5,\}'; }
is_unfinished "$2" || exit 0
docker compose rm --force --stop db >/dev/null 2>&1
# Its making may have been going on until now.
is_unfinished "$2" || exit 0
find "$2" -mindepth 1 -delete
