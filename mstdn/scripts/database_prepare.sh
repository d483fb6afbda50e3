# Brings the database to the release $2 of the project in $1, as far as the release may go before it runs, and notes it
# in $3. $4: local domain. $5: seconds to wait for PostgreSQL and Redis. The rest: the services to start for it.
set -eu
directory=$1 release=$2 marker=$3 domain=$4 patience=$5
shift 5
cd "$directory"
known() { [ ! -f "$marker" ] || sed -n "s/^$1=//p" "$marker"; }
# $1: the release that the instance is at. $2: the one it is on its way to, with $3: what became of its migrations.
note() {
    {
        printf 'LOCAL_DOMAIN=%s\nMASTODON_VERSION=%s\n' "$domain" "$1"
        [ $# -eq 1 ] || printf 'NEXT_VERSION=%s\nMIGRATIONS=%s\n' "$2" "$3"
    } >"$marker.new"
    sync "$marker.new"
    mv -fT "$marker.new" "$marker"
}
rails() { docker compose run --rm --no-deps -T --quiet-pull migrate bundle exec rails "$1"; }
fail() {
    echo "$1" >&2
    docker compose logs --no-color --no-log-prefix --tail 20 db >&2 || true
    exit 1
}
at=$(known MASTODON_VERSION)
if [ "$at" = "$release" ]; then
    # Back from an upgrade that did not come up: its first migrations may have run, and this release can live with them.
    note "$release"
    exit 0
fi
docker compose up --detach --wait --wait-timeout "$patience" "$@" >/dev/null 2>&1 ||
    fail "PostgreSQL, Redis or the inner nginx does not become healthy. PostgreSQL's last words:"
if [ -z "$at" ]; then
    rails db:prepare >/dev/null || fail "The database could not be prepared. PostgreSQL's last words:"
    note "$release"
    exit 0
fi
# The release before still serves: only what it can live with may run now, the rest when the new one has taken over.
if ! pending=$(rails db:migrate:status 2>&1); then
    printf '%s\n' "$pending" | tail -n 20 >&2
    fail "The new release cannot read the database; the release before still serves. PostgreSQL's last words:"
fi
if printf '%s\n' "$pending" | grep -qE '^[[:space:]]+down[[:space:]]'; then
    docker compose run --rm --no-deps -T -e SKIP_POST_DEPLOYMENT_MIGRATIONS=true migrate bundle exec rails db:migrate >/dev/null ||
        fail "A migration failed (see above); the release before still serves. PostgreSQL's last words:"
    note "$at" "$release" before
else
    note "$at" "$release" none
fi
