# Empties PostgreSQL's data directory $2 of the project in $1, if its making was cut short.
set -eu
cd "$1"
# The first server that starts leaves postmaster.opts; databases other than PostgreSQL's own have numbers from 16384.
is_unfinished() { [ ! -e "$1/postmaster.opts" ] && ! ls -d "$1"/base/?????* >/dev/null 2>&1; }
is_unfinished "$2" || exit 0
docker compose rm --force --stop db >/dev/null 2>&1
# Its making may have been going on until now.
is_unfinished "$2" || exit 0
find "$2" -mindepth 1 -delete
