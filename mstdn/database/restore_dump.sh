# Takes the database of the project in $1 back to rollback/RELEASE.dump of the release $2, and notes in $3 that it is there. What it
# is now is dumped first. After migrations.sh. The new database is complete before the present one is put aside; until then a
# failure leaves everything as it was: put_back_in_order.sh, which goes before, has Mastodon serve on. After timers/growth.sh too.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
kept=$directory/rollback
umask 077
in_db() { docker compose exec -T -e PGAPPNAME=mstdn-dump db "$@"; }
query() { in_db psql --username postgres --dbname postgres --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$1"; }
# Ends it where nobody knows what is there, or where the databases have changed places: Mastodon stays as it is.
stop_here() {
    printf '%s\n' "$1" >&2
    tail -n 5 "$log" >&2
    echo "Nothing is lost. Run again: pyinfra inventory.py tasks/rollback.py --data rollback_to=$release" >&2
    exit 1
}
: >"$log"
{ at=$(known MASTODON_VERSION) && to=$(known NEXT_VERSION) && phase=$(known MIGRATIONS) && domain=$(known LOCAL_DOMAIN); } || at=''
[ -n "$at" ] ||
    stop_here "$marker does not say which release is installed, so nobody knows how far the way back is."
to=${to:-$at}
serves="$to serves on"
! are_kept_down "$directory" || serves="Mastodon stays stopped until you set mastodon_version = \"$to\" and deploy"
leave() {
    printf '%s\n' "$1" >&2
    tail -n 5 "$log" >&2
    echo "$serves, and nothing is lost. Mend what is named above and run again." >&2
    exit 1
}
# Whether there is the database $1. Only an answer counts: what is dropped, and over which dump another one is written, depends on it.
is_there() {
    answer=$(query "SELECT count(*) FROM pg_database WHERE datname = '$1'" 2>>"$log") || answer=''
    case $answer in 0 | 1) ;; *) stop_here "The database did not answer, so nobody knows how far the way back is." ;; esac
    [ "$answer" = 1 ]
}
# A reboot, and a restart of the engine, brings back what has the rule "always", also what was stopped by hand. The deployment of
# $release makes these containers anew.
keep_down() {
    ids=$(programs stopped 2>>"$log") || return
    for id in $ids; do docker update --restart no "$id" >/dev/null 2>>"$log" || return; done
}
if is_there mastodon_put_aside && [ "$phase" != returning ]; then
    # Of a time before, which was cut off at its very end.
    query 'DROP DATABASE mastodon_put_aside WITH (FORCE)' 2>>"$log" || leave "What an earlier way back had put aside stays."
fi
# Once the present one is put aside, the rest is only to be finished.
if is_there mastodon_put_aside; then
    # Somebody may have started it since.
    { docker compose stop web streaming sidekiq >/dev/null 2>>"$log" && keep_down; } || stop_here "Mastodon could not be stopped."
else
    # Of one that was cut off right before the databases would have changed places.
    if [ "$phase" = returning ] && grep -qs '^MASTODON_VERSION=' "$marker.kept"; then mv -fT "$marker.kept" "$marker"; fi
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
    # For put_back_in_order.
    : >"$directory/state/.stopping"
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
    keep_down || leave "Mastodon could not be kept from starting by itself."
    # What it has written since the dump would be in none.
    running=$(programs 2>>"$log") || leave "Docker did not say whether Mastodon is still stopped."
    [ -z "$running" ] || leave "Mastodon was started meanwhile, as by a restart of the engine."
    cp -p "$marker" "$marker.kept"
    sync "$marker.kept"
    note "$domain" "$release" "$to" returning
    { query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mastodon_production'" &&
        query 'BEGIN; ALTER DATABASE mastodon_production RENAME TO mastodon_put_aside; ALTER DATABASE mastodon_returning RENAME TO mastodon_production; COMMIT'; } >"$log" 2>&1 || {
        # They may have done so, and only the answer got lost. What is still at work there would do it later.
        end="SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mstdn-dump' AND pid <> pg_backend_pid()"
        query "$end" >/dev/null 2>>"$log" || true
        is_there mastodon_put_aside || {
            mv -fT "$marker.kept" "$marker"
            leave "The databases could not change places."
        }
    }
fi
programs stopped >"$directory/state/.kept-down" 2>>"$log" || stop_here "Docker did not say which containers Mastodon has."
rm -f "$directory/state/.stopping"
note "$domain" "$release"
rm -f "$marker.kept"
query 'DROP DATABASE mastodon_put_aside WITH (FORCE)' >"$log" 2>&1 || {
    say "What the database was before could not be removed, and only takes room: $(tail -n 1 "$log")"
    say "To remove it, in $directory: docker compose exec db psql --username postgres --command 'DROP DATABASE mastodon_put_aside'"
}
say "The database is that of $release. Now set mastodon_version = \"$release\" and deploy: until then visitors are asked to wait."
say "Afterwards, so that home timelines are complete: docker compose exec web bin/tootctl feeds build"
