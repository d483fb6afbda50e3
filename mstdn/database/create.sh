# Makes the database of release $2 for the project in $1, with schema and seeds, and notes in $3 that it is there.
# $4: local domain. After migrations.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh >/dev/null || {
    docker compose logs --no-color --no-log-prefix --tail 20 db >&2 || true
    echo "The database could not be made; above are PostgreSQL's last log lines." >&2
    exit 1
}
# db:prepare seeds only what it made itself: after one that was cut off between schema and seeds there would be no roles.
rails migrate bundle exec rails db:prepare db:seed || give_up $? "The database could not be prepared. Nothing is lost: there was nothing in it yet. Run the deployment again."
note "$1" "$release"
