# Brings the database to the release $2 of the project in $1, as far as the release may go before it runs, and notes it
# in $3. $4: local domain. $5: seconds to wait for PostgreSQL and Redis. The rest: the services to start for it.
set -eu
directory=$1 release=$2 marker=$3 domain=$4 patience=$5
shift 5
cd "$directory"
note() {
    printf 'LOCAL_DOMAIN=%s\nMASTODON_VERSION=%s\nMIGRATIONS=%s\n' "$domain" "$release" "$1" >"$marker.new"
    sync "$marker.new"
    mv -fT "$marker.new" "$marker"
}
rails() { docker compose run --rm --no-deps -T --quiet-pull migrate bundle exec rails "$1"; }
fail() {
    echo "$1" >&2
    docker compose logs --no-color --no-log-prefix --tail 30 db >&2 || true
    exit 1
}
# A run whose connection broke may have finished this while the present one waited for it.
if grep -qx "MASTODON_VERSION=$release" "$marker" 2>/dev/null; then
    exit 0
fi
docker compose up --detach --wait --wait-timeout "$patience" "$@" >/dev/null 2>&1 ||
    fail "PostgreSQL or Redis does not become healthy. PostgreSQL's last words:"
if [ -f "$marker" ]; then
    # The old release still serves: only what it can live with may run now, the rest when the new one has taken over.
    pending=$(rails db:migrate:status 2>&1) || fail "The new release cannot read the database: $pending"
    if printf '%s\n' "$pending" | grep -qE '^[[:space:]]+down[[:space:]]'; then
        docker compose run --rm --no-deps -T -e SKIP_POST_DEPLOYMENT_MIGRATIONS=true migrate bundle exec rails db:migrate ||
            fail "A migration failed; the old release still serves. Its words are above, PostgreSQL's follow:"
        note before
    else
        note none
    fi
else
    rails db:prepare >/dev/null || fail "The database could not be prepared. PostgreSQL's last words:"
    note "done"
fi
