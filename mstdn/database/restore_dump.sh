# Takes the database of the project in $1 back to rollback/RELEASE.dump of the release $2, and notes in $3 that it is there. What it
# is now is dumped first. After migrations.sh. The new database is complete before the present one is put aside; until then a
# failure leaves everything as it was: put_back_in_order.sh, which goes before, has Mastodon serve on. After timers/growth.sh too.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
at=$(known MASTODON_VERSION) to=$(known NEXT_VERSION) domain=$(known LOCAL_DOMAIN) kept=$directory/rollback
to=${to:-$at}
umask 077
in_db() { docker compose exec -T -e PGAPPNAME=mstdn-dump db "$@"; }
query() { in_db psql --username postgres --dbname postgres --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$1"; }
exists() { [ -n "$(query "SELECT 1 FROM pg_database WHERE datname = '$1'")" ]; }
leave() {
    printf '%s\n' "$1" >&2
    tail -n 5 "$log" >&2
    echo "$to serves on, and nothing is lost. Mend what is named above and run again." >&2
    exit 1
}
if exists mastodon_put_aside && [ "$(known MIGRATIONS)" != returning ]; then
    # Of a time before, which was cut off at its very end.
    query 'DROP DATABASE mastodon_put_aside WITH (FORCE)'
fi
# Once the present one is put aside, the rest is only to be finished.
if ! exists mastodon_put_aside; then
    : >"$log"
    # Of one that was cut off.
    query 'DROP DATABASE IF EXISTS mastodon_returning WITH (FORCE)' 2>"$log" || leave "The database did not answer."
    # A dump of what is now, which has no indexes, beside the other dumps, and a whole database beside the present one.
    size=$(du -sm database/ | cut -f 1)
    for_dump=$((size / 2)) for_database=$size
    if [ "$(stat -L -c %d database)" = "$(stat -L -c %d "$kept")" ]; then for_dump=$((size * 3 / 2)) for_database=$((size * 3 / 2)); fi
    for place in "$kept $for_dump" "$directory/database $for_database"; do
        free=$(df -Pm "${place% *}" | awk 'NR == 2 { print $4 }')
        [ "$free" -ge "${place##* }" ] || leave "The way back needs ${place##* } MiB in ${place% *}, and $free MiB are free."
    done
    in_db pg_restore --file /dev/null <"$kept/$release.dump" 2>"$log" || leave "The dump rollback/$release.dump cannot be read to its end."
    say "Visitors get the page that asks them to wait. Sidekiq finishes what it works on."
    docker compose stop web streaming sidekiq >/dev/null 2>&1 || leave "Mastodon could not be stopped."
    say "Dumping the database as it is now to $kept/left-$to.dump."
    failed=''
    tell_growth dumped "$size" "$kept/.left.new"
    in_db pg_dump --username postgres --format custom --compress 3 mastodon_production 2>"$log" >"$kept/.left.new" || failed=yes
    tell_no_more
    [ -z "$failed" ] || leave "The database could not be dumped."
    in_db pg_restore --file /dev/null <"$kept/.left.new" 2>"$log" || leave "The dump of the database cannot be read to its end."
    mv -fT "$kept/.left.new" "$kept/left-$to.dump"
    say "Restoring the database of $release."
    query "CREATE DATABASE mastodon_returning OWNER mastodon TEMPLATE template0 ENCODING 'UTF8'" >"$log" 2>&1 || leave "No other database could be made."
    tell_growth 'with what is restored' $((size * 2)) database
    in_db pg_restore --username postgres --exit-on-error --dbname mastodon_returning <"$kept/$release.dump" >"$log" 2>&1 || failed=yes
    tell_no_more
    [ -z "$failed" ] || leave "The database could not be restored."
    cp -p "$marker" "$marker.kept"
    note "$domain" "$release" "$to" returning
    { query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mastodon_production'" &&
        query 'BEGIN; ALTER DATABASE mastodon_production RENAME TO mastodon_put_aside; ALTER DATABASE mastodon_returning RENAME TO mastodon_production; COMMIT'; } >"$log" 2>&1 || {
        mv -fT "$marker.kept" "$marker"
        leave "The databases could not change places."
    }
fi
note "$domain" "$release"
rm -f "$marker.kept"
query 'DROP DATABASE mastodon_put_aside WITH (FORCE)' >"$log" 2>&1
say "The database is that of $release. Now set mastodon_version = \"$release\" and deploy: until then visitors are asked to wait."
say "Afterwards, so that home timelines are complete: docker compose exec web bin/tootctl feeds build"
