# shellcheck disable=SC2154,SC2034 # put_in_order.sh, which goes before, makes and uses them
# Moves the databases of the project in $1 into a new data directory, made by the image $2. $3: the note of how far it is. $4: for how
# many seconds containers may become healthy. It is a unit of the server, may be killed anywhere and started again. Until the new
# directory takes the old one's place the old one is only read; then it is kept beside, as NAME.before. After put_in_order.sh and
# timers/growth.sh.
#
# The note says "phase": "preparing", "stopped" (Mastodon is), or "switching": the new directory is complete, and whoever comes back
# goes on from there, if the old one was not written to since: a reboot starts again what was stopped. "old" is the mark of the old
# directory, made when db had stopped for it. "ran" tells when Mastodon ran last: once it has run with the new directory, that one is
# never put aside again.
set -eu
export LC_ALL=C
umask 077
cd "$root"

say() { printf '%s\n' "$*"; }
mib() { echo $(($1 / 1024)); }
in_old() { docker exec -i "$db" "$@"; }
in_new() { docker exec -i "$name" "$@"; }
# $1: old or new, $2: a database; asks what stands on standard input. From its socket PostgreSQL lets everybody in.
sql() { "in_$1" psql --username postgres --dbname "$2" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1; }
# What every table holds and where every sequence is: "rows DATABASE SCHEMA.TABLE NUMBER".
COUNT="SELECT format('SELECT %L || count(*) FROM %I.%I', format('rows %s %s.%s ', current_database(), n.nspname, relname), n.nspname, relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \\gexec
    SELECT format('sequence %s %s.%s %s', current_database(), schemaname, sequencename, coalesce(last_value::text, '-')) FROM pg_sequences;"
# Counts what is in every database of $1, old or new, into the file $2.
count() {
    : >"$2"
    while IFS= read -r database; do
        printf '%s\n' "$COUNT" | sql "$1" "$database" >>"$2" 2>"$words" || return 1
    done <"$dumps/databases"
    sort -o "$2" "$2"
}
throw_away() { docker rm --force --volumes "$name" >/dev/null 2>&1 || true; }
# Tells what went wrong, $1, and the last of what the command that failed has told.
tell() {
    {
        printf '%s\n' "$1"
        [ ! -s "$words" ] || tail -n 6 "$words"
    } >&2
}
# Ends the program where nothing may be removed: the note stays. $1: what went wrong. $2: what to do.
halt() {
    trap - EXIT
    trap '' TERM INT
    tell "$1"
    printf '%s\n' "$2" >&2
    rm -f "$words"
    exit 1
}
# Ends the program: the old one serves on, or again. $1: what went wrong; the output of the command that failed is in $words.
leave() {
    trap - EXIT
    trap '' TERM INT
    tell "$1"
    why='' place=old
    [ "$(known phase)" != switching ] || place=$(in_place)
    : >"$words"
    [ "$place" != none ] || put_back || place='?'
    [ "$place" != new ] ||
        halt "The new data directory is in place, and the old one is kept as $before: nothing was removed." "Go on with it: $again. To go back to the old one, losing what was written since: rm $note, and then \"Another PostgreSQL\" in docs/runbook.md."
    [ "$place" != '?' ] || halt "The old data directory is not in its place, so nothing was removed." "Look at $data, $new and $before, and run again: $again"
    [ "$(known phase)" = preparing ] || serve_again || why=" It could not be started again ($(tail -n 1 "$words")): pyinfra inventory.py deploy.py"
    throw_away
    # What says that the new directory is complete goes before it does.
    phase preparing 2>/dev/null || rm -f "$note"
    rm -rf "$new" "$dumps" "$note" "$words"
    df -Ph "${data%/*}" | awk 'NR == 2 { print "On " $6 " " $4 " are free." }' >&2
    echo "PostgreSQL $from keeps serving, and nothing of it was changed.$why Correct what is named above and run again, or stay with it." >&2
    exit 1
}
guard() {
    # The signal may come while a function's words are led elsewhere. systemd tells every process of the unit, and goes on until it
    # finds no new one: until then nothing is started but what does not listen, or the command that starts the old one again would be
    # ended as well.
    exec 7>&2
    trap 'trap "" TERM INT; sleep 0.2; leave "It was told to stop." 2>&7' TERM INT
    trap 'leave "A step failed that never should."' EXIT
}
: >"$words"

recall
if [ "$(known phase)" = switching ]; then
    place=$(in_place) written=$data
    case $place in
    none) written=$before ;;
    '?') halt "The data directories are not as this has left them." "Only one is to lie beside $new, which is complete: $data or $before, whichever is the old one. Move the other away, and run again: $again" ;;
    esac
    # After a reboot in the wrong moment the old one has served for as long as nobody came back. Without $new there is nothing to go on with.
    if [ "$place" != new ] && { [ ! -e "$new" ] || [ -z "$old" ] || [ "$(mark "$written")" != "$old" ]; }; then
        say "What was dumped is not all that the old data directory has by now, so the move begins anew."
        [ "$place" = old ] || put_back || halt "The old data directory could not be put back into its place." "Mend that, and run again: $again"
        # One without a note has nothing to go on with either.
        phase stopped || rm -f "$note"
        serve_again || halt "The old PostgreSQL could not be started again." "Mend that, and run again: $again"
    elif [ "$place" != new ]; then
        # What runs has no database. That it was started is no sign of anything then: from now on it is one.
        guard
        docker compose stop web streaming sidekiq >"$words" 2>&1 || leave "Mastodon could not be stopped."
        ran=$(last_ran) || leave "Docker did not say when Mastodon ran last."
        phase switching || leave "The note $note could not be written."
    fi
fi
if [ "$(known phase)" != switching ]; then
    # The unit of another run may have come to its end a moment ago.
    [ ! -e "$before" ] || halt "$before, the data directory from before the last move, is still kept." "Remove it if nothing is missing: $again --data postgres_old_directory=remove"
    from=$(cat "$data/PG_VERSION") was=$(image_now) old='' ran=''
    throw_away
    rm -rf "$new" "$dumps"
    db=$(container_of mstdn db)
    [ -n "$db" ] || {
        rm -f "$words"
        echo "The database does not run, so it cannot be moved. Deploy with the image of PostgreSQL $from first: pyinfra inventory.py deploy.py" >&2
        exit 1
    }
    # Where an earlier attempt has stopped Mastodon, and nobody knows whether it was started again, this one starts it if it ends.
    at=$(known phase)
    [ "$at" = stopped ] || at=preparing
    phase "$at" || halt "The note $note could not be written." "Make room on its disk, and run again: $again"
    guard
    say "1 of 6: make a new data directory beside the old one, with $image"
    mkdir "$dumps"
    mkdir "$new"
    chown 999:999 "$new" "$dumps"
    # Without a network, and with less to write to the disk: until it is complete, it may be lost.
    docker run --detach --name "$name" --network none --user 999:999 --read-only --cap-drop ALL --security-opt no-new-privileges \
        --log-driver json-file --log-opt max-size=1m --shm-size 256m --env PGDATA=/var/lib/postgresql/data \
        --env POSTGRES_PASSWORD_FILE=/run/secrets/postgres-superuser-password \
        --env 'POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256 --encoding=UTF8 --data-checksums' \
        --volume "$root/secrets/postgres-superuser-password:/run/secrets/postgres-superuser-password:ro" \
        --mount type=tmpfs,destination=/var/lib/postgresql --volume "$new:/var/lib/postgresql/data" --volume "$dumps:/dumps:ro" --tmpfs /tmp \
        --tmpfs /run/postgresql:uid=999,gid=999,mode=0775 --stop-timeout 120 \
        "$image" postgres -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=1GB -c autovacuum=off >/dev/null 2>"$words" ||
        leave "The new PostgreSQL could not be started."
    end=$(($(date +%s) + patience))
    # Over TCP: while initdb runs, PostgreSQL answers on its socket only.
    until in_new pg_isready --quiet --host 127.0.0.1 --username postgres 2>/dev/null; do
        if [ "$(date +%s)" -ge "$end" ] || [ "$(docker inspect --format '{{.State.Running}}' "$name" 2>/dev/null)" != true ]; then
            docker logs --tail 8 "$name" >"$words" 2>&1 || true
            leave "The new PostgreSQL did not come up."
        fi
        sleep 1
    done

    say "2 of 6: stop Mastodon. Visitors get the page that asks them to wait; Sidekiq finishes what it works on."
    phase stopped
    docker compose stop web streaming sidekiq >"$words" 2>&1 || leave "Mastodon could not be stopped."
    ran=$(last_ran) || leave "Docker did not say when Mastodon ran last."
    # Ends sessions that are still open, such as a forgotten console.
    echo "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mastodon'" | sql old postgres >/dev/null 2>"$words" ||
        leave "The database did not answer."

    # What belongs to no database: accounts with their passwords, and what they may do. The administrator is there already.
    in_old pg_dumpall --username postgres --globals-only 2>"$words" >"$dumps/accounts" || leave "The accounts could not be dumped."
    grep -v '^CREATE ROLE postgres;$' "$dumps/accounts" | sql new postgres >/dev/null 2>"$words" || leave "The accounts could not be loaded."
    echo "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname" | sql old postgres >"$dumps/databases" 2>"$words" ||
        leave "The database did not answer."
    size=$(du -sm "$data" | cut -f 1)
    say "3 of 6: dump $(wc -l <"$dumps/databases") databases ($size MiB with their indexes)"
    tell_growth dumped "$size" "$dumps"
    number=0 failed=
    while IFS= read -r database; do
        number=$((number + 1)) dump=$dumps/$number.dump
        in_old pg_dump --username postgres --format custom --compress 3 --lock-wait-timeout 60000 "$database" 2>"$words" >"$dump" </dev/null || failed="$database could not be dumped."
        # The list stands at the beginning of a dump; that nothing is missing at its end is known when all of it has been read.
        [ -n "$failed" ] || in_new pg_restore --list >/dev/null 2>"$words" <"$dump" || failed="The dump of $database has no list."
        [ -n "$failed" ] || in_new pg_restore --file /dev/null 2>"$words" <"$dump" || failed="The dump of $database cannot be read to its end."
        [ -z "$failed" ] || break
        chown 999:999 "$dump"
    done <"$dumps/databases"
    tell_no_more
    [ -z "$failed" ] || leave "$failed"

    say "4 of 6: load the dumps ($(du -sm "$dumps" | cut -f 1) MiB) and make the indexes anew"
    tell_growth loaded $((size * 2)) "$new"
    jobs=$(nproc) number=0
    [ "$jobs" -le 4 ] || jobs=4
    while IFS= read -r database; do
        number=$((number + 1))
        # This database exists in every new data directory.
        set --
        [ "$database" = postgres ] || set -- --create
        docker exec "$name" pg_restore --username postgres --exit-on-error --jobs "$jobs" "$@" --dbname postgres "/dumps/$number.dump" >/dev/null 2>"$words" </dev/null ||
            failed="$database could not be loaded."
        [ -z "$failed" ] || break
    done <"$dumps/databases"
    tell_no_more
    [ -z "$failed" ] || leave "$failed"

    say "5 of 6: have the new PostgreSQL look at what it has, and compare the numbers of rows"
    in_new vacuumdb --username postgres --all --analyze-only --quiet >"$words" 2>&1 </dev/null || leave "The new database could not be analyzed."
    count old "$dumps/wanted" || leave "The old database did not answer."
    count new "$dumps/found" || leave "The new database did not answer."
    diff "$dumps/wanted" "$dumps/found" >"$dumps/differences" || {
        grep '^[<>]' "$dumps/differences" | head -n 6 >"$words"
        leave "The new database has other numbers of rows than the old one (< old, > new)."
    }
    # What somebody has set with ALTER SYSTEM comes along, as far as the new one knows it: name = 'value', as in SQL.
    sed -n 's/^\([a-z_.]* = .*\)$/ALTER SYSTEM SET \1;/p' "$data/postgresql.auto.conf" 2>/dev/null >"$dumps/settings" || true
    while IFS= read -r setting; do
        printf '%s\n' "$setting" | sql new postgres >/dev/null 2>"$words" || say "This setting stays behind: $setting ($(tail -n 1 "$words"))"
    done <"$dumps/settings"
    tables=$(grep -c '^rows ' "$dumps/wanted" || true) rows=$(awk '$1 == "rows" { sum += $NF } END { print sum + 0 }' "$dumps/wanted")
    docker stop -t 120 "$name" >/dev/null 2>"$words" || leave "The new PostgreSQL did not stop."
    [ "$(docker inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || leave "The new PostgreSQL did not shut down cleanly."
    throw_away
    sync -f "$new"
    say "All $tables tables have the $rows rows that they had."
fi

say "6 of 6: let the new data directory take the place of the old one"
guard
# What a full disk needs most.
rm -rf "$dumps"
if [ "$(known phase)" != switching ]; then
    docker stop "$db" >/dev/null 2>"$words" || leave "The old PostgreSQL did not stop."
    # A restart of the engine starts what was stopped by hand.
    [ "$(last_ran)" = "$ran" ] || leave "Mastodon was started in between, so that not all of what it has written was dumped."
    old=$(mark "$data")
    [ -n "$old" ] || leave "The old data directory has no control file that can be read: $data/global/pg_control"
    phase switching || leave "The note $note could not be written."
fi
if [ "$(in_place)" != new ]; then
    [ "$(in_place)" = none ] || mv -T "$data" "$before" 2>"$words" || leave "The old data directory could not be moved aside."
    take_db_away || leave "The old container of the database could not be removed."
    # By its old name nobody finds it any more. In the moment before, a restart of the engine may have.
    [ "$(mark "$before")" = "$old" ] || leave "The old PostgreSQL was started in between, so that not all of what it has was dumped."
    write_image "$image" 2>"$words" || leave "compose.yaml could not be written."
    # An empty one, which the engine has made where db was to start without one.
    [ ! -d "$data" ] || rmdir "$data" 2>"$words" || leave "Something has come into the place of the data directory."
    mv -T "$new" "$data" 2>"$words" || leave "The new data directory could not be moved into its place."
fi
sync -f "$data"
start_db || {
    docker compose logs --no-color --no-log-prefix --tail 8 db >&2 || true
    # What somebody has posted since it took its place is in no other.
    [ "$(last_ran)" = "$ran" ] || leave "The new PostgreSQL did not come up, and Mastodon may have run with it already; above are its last lines."
    take_db_away || leave "The new PostgreSQL did not come up, and its container could not be removed; above are its last lines."
    mv -T "$data" "$new" 2>"$words" || leave "The new PostgreSQL did not come up, and its directory could not be moved; above are its last lines."
    leave "The new PostgreSQL did not come up in the place of the old one, which is back; above are its last lines."
}
failed=''
start_mastodon || failed=yes
trap - EXIT TERM INT
# Deployments are refused for as long as it is there.
rm -f "$note"
[ -z "$failed" ] || {
    tail -n 6 "$words" >&2
    rm -f "$words"
    echo "PostgreSQL has the database, but Mastodon could not be started: pyinfra inventory.py deploy.py" >&2
    exit 1
}
rm -f "$words"
say "PostgreSQL $(cat "$data/PG_VERSION") ($image) has the database. The old data directory is kept: $before"
