# Makes the database of release $2 for the project in $1, with schema and seeds, and notes in $3 that it is there.
# $4: local domain. After migrations.sh and timers/growth.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
docker compose exec -T db sh /docker-entrypoint-initdb.d/10-mastodon.sh >/dev/null || {
    docker compose logs --no-color --no-log-prefix --tail 20 db >&2 || true
    echo "The database could not be made; above are PostgreSQL's last log lines." >&2
    exit 1
}
# Without those in which Rails itself notes what it has done.
tables_made() {
    echo "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'ar_internal_metadata')" | sql
}
say "Making the tables of $release, and what Mastodon begins with."
rails migrate grep -c create_table db/schema.rb || true
all=$(grep -x '[1-9][0-9]*' "$log") || all='?'
tell_count tables "$all" tables_made
# db:prepare seeds only what it made itself: after one that was cut off between schema and seeds there would be no roles.
ended=0
rails migrate bundle exec rails db:prepare db:seed || ended=$?
tell_no_more
[ "$ended" = 0 ] || give_up "$ended" "The database could not be prepared. Nothing is lost: there was nothing in it yet. Run the deployment again."
note "$1" "$release"
say "The database of $release is made."
