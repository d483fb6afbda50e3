# Brings the database of the project in $2 to the release $3, and notes in $4 how far it is.
# $1 is "before": as far as may be done while the release before still serves; or "after": the rest, once $3 serves.
# For "before" also $5: local domain.
set -eu
phase=$1 directory=$2 release=$3 marker=$4
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
rails() { docker compose run --rm --no-deps -T --quiet-pull "$@"; }
fail() {
    echo "$1" >&2
    docker compose logs --no-color --no-log-prefix --tail 20 db >&2 || true
    exit 1
}
# The migrations in $1, the output of db:migrate:status, that did not run yet.
waiting() { printf '%s\n' "$1" | grep -E '^[[:space:]]+down[[:space:]]'; }
at=$(known MASTODON_VERSION)

if [ "$phase" = after ]; then
    domain=$(known LOCAL_DOMAIN)
    if [ "$(known MIGRATIONS)" = before ]; then
        rails migrate bundle exec rails db:migrate >/dev/null
        status=$(rails migrate bundle exec rails db:migrate:status)
        if waiting "$status" >&2; then
            echo "These migrations did not run." >&2
            exit 1
        fi
    fi
    note "$release"
    exit 0
fi

domain=$5
if [ "$at" = "$release" ]; then
    # Back from an upgrade that did not come up: its first migrations may have run, and this release can live with them.
    note "$release"
    exit 0
fi
if [ -z "$at" ]; then
    docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh >/dev/null ||
        fail "The database could not be made. PostgreSQL's last words:"
    # db:prepare seeds only what it made itself: after one that was cut off between schema and seeds there would be no roles.
    rails migrate bundle exec rails db:prepare db:seed >/dev/null || fail "The database could not be prepared. PostgreSQL's last words:"
    note "$release"
    exit 0
fi
# The release before still serves: only what it can live with may run now.
if ! status=$(rails migrate bundle exec rails db:migrate:status 2>&1); then
    printf '%s\n' "$status" | tail -n 20 >&2
    fail "The new release cannot read the database; the release before still serves. PostgreSQL's last words:"
fi
if waiting "$status" >/dev/null; then
    rails -e SKIP_POST_DEPLOYMENT_MIGRATIONS=true migrate bundle exec rails db:migrate >/dev/null ||
        fail "A migration failed (see above); the release before still serves. PostgreSQL's last words:"
    note "$at" "$release" before
else
    note "$at" "$release" none
fi
