# Empties PostgreSQL's data directory $2 of the project in $1, if its making was cut short: then no server ever ran on it,
# and there is no database in it but PostgreSQL's own.
set -eu
cd "$1"
docker compose rm --force --stop db >/dev/null 2>&1
if [ ! -e "$2/postmaster.opts" ] && ! ls -d "$2"/base/?????* >/dev/null 2>&1; then
    find "$2" -mindepth 1 -delete
fi
