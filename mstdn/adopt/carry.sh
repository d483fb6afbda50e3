# shellcheck disable=SC2154 # put_in_order.sh, which goes before, makes them
# Carries the data of an instance that was set up by hand into the directory of the project, $1. $2: PostgreSQL's image, $3: the note of
# the take-over, $4: for how many seconds PostgreSQL may take to come up, $5: the program that goes back; the rest: the suite's networks.
# It is a unit of the server, may be killed anywhere and started again. Of the old instance no file is written to, moved or removed.
# After put_in_order.sh and timers/growth.sh.
#
# The note says "phase": "begun"; "stopped": the old Mastodon is, and its database serves on; "switching": all data are complete, and
# whoever comes back goes on from there, if the old Mastodon has not run since ("ran"): a reboot starts again what was stopped; "carried".
set -eu
export LC_ALL=C
umask 077
image=$2 patience=$4
shift 5
networks=$*
cd "$root"
data=$(readlink -m database) queues=$(readlink -m redis) target=$(readlink -m media)
new=$data.new dumps=$data.dumps jobs=$queues.new ran=''
tab='	'

say() { printf '%s\n' "$*"; }
# ID, restart policy, name and role of each of its containers, with tabs between.
all() { known container; }
ids() { cut -d "$tab" -f 1; }
# Those of its containers with one of these roles, divided by bars.
with_role() { all | awk -F "$tab" -v roles="|$1|" 'index(roles, "|" $4 "|")' | ids; }
db=$(with_role db) redis=$(with_role redis) media=$(known media)
user=$(known user) database=$(known database) domain=$(known domain) release=$(known version)
# Passwords reach these programs by their environment, never as an argument.
web=$(with_role web | head -n 1)
value_of() { docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$web" 2>/dev/null | sed -n "s/^$1=//p" | head -n 1; }
PGPASSWORD=$(value_of DB_PASS) REDISCLI_AUTH=$(value_of REDIS_PASSWORD)
export PGPASSWORD REDISCLI_AUTH
[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
in_old() { docker exec -i -e PGPASSWORD "$db" "$@"; }
in_new() { docker exec -i "$name" "$@"; }
ask_redis() { docker exec -e REDISCLI_AUTH "$redis" redis-cli "$@"; }
sql_of_old() { in_old psql --username "$user" --dbname "$database" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1; }
sql_of_new() { in_new psql --username postgres --dbname "$1" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1; }
# What every table holds and where every sequence is, but for what belongs to an extension.
COUNT="SELECT format('SELECT %L || count(*) FROM %I.%I', format('rows %s.%s ', n.nspname, relname), n.nspname, relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e') \\gexec
    SELECT format('sequence %s.%s %s', schemaname, sequencename, coalesce(last_value::text, '-')) FROM pg_sequences;"
throw_away() { docker rm --force --volumes "$name" >/dev/null 2>&1 || true; }
# What has gone wrong before all was carried over: the old instance serves on, or again. $1: what it is; its words are in $words.
leave() {
    trap - EXIT
    trap '' TERM INT
    {
        printf '%s\n' "$1"
        [ ! -s "$words" ] || tail -n 6 "$words"
    } >&2
    at=$(known phase) served='' why=''
    throw_away
    again="The old instance serves on"
    [ "$at" = begun ] || serve_again || {
        again="The old instance could not be started again ($(tail -n 1 "$words")): $(by_hand)" served=no
    }
    # A full disk needs that most, and there is no other use for them.
    rm -rf "$dumps"
    # While the note says that the data are complete they are there. A database in its place would be in the way of the next attempt.
    if [ "$at" = switching ]; then
        { [ -e "$new" ] || [ ! -e "$data/PG_VERSION" ] || mv -T "$data" "$new"; } 2>/dev/null && rm -f state/.installed.new state/installed.env || why=no
    fi
    ran=''
    # What is begun anew takes the old containers for what they are then: as they were, that is.
    if [ "$at" = begun ] || { [ -z "$why$served" ] && phase begun; }; then
        rm -rf "$new" "$jobs"
        rm -f "$back"
    fi
    df -Ph "${data%/*}" | awk 'NR == 2 { print "On " $6 " " $4 " are free." }' >&2
    echo "$again, and nothing of it was changed. Mend what is named above and run again." >&2
    rm -f "$words"
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
# Dumps the old database, reads the dump to its end, and loads it into an empty one of the new PostgreSQL.
carry_database() {
    failed='' size=$(echo 'SELECT pg_database_size(current_database()) / 1048576 + 1' | sql_of_old 2>"$words") || leave "The old database did not answer."
    tell_growth dumped "$size" "$dumps"
    in_old pg_dump --username "$user" --format custom --compress 3 --lock-wait-timeout 60000 "$database" >"$dumps/old.dump" 2>"$words" </dev/null || failed="The old database could not be dumped."
    # The list stands at the beginning of a dump; that nothing is missing at its end is known when all of it has been read.
    [ -n "$failed" ] || in_new pg_restore --list <"$dumps/old.dump" >"$dumps/all" 2>"$words" || failed="The dump has no list."
    [ -n "$failed" ] || in_new pg_restore --file /dev/null <"$dumps/old.dump" 2>"$words" || failed="The dump cannot be read to its end."
    tell_no_more
    [ -z "$failed" ] || leave "$failed"
    # Extensions are of the server and not of Mastodon, and the schema public is there already.
    grep -v -E ' (EXTENSION|ACL) |SCHEMA (- )?public( |$)' "$dumps/all" >"$dumps/list" || true
    grep -q ' TABLE DATA ' "$dumps/list" || leave "The dump has no tables: is $database the database of Mastodon?"
    chown 999:999 "$dumps/old.dump" "$dumps/list"
    printf '%s\n' 'DROP DATABASE IF EXISTS mastodon_production WITH (FORCE);' \
        "CREATE DATABASE mastodon_production OWNER mastodon TEMPLATE template0 ENCODING 'UTF8';" | sql_of_new postgres >/dev/null 2>"$words" ||
        leave "The new database could not be made."
    jobs_at_once=$(nproc)
    [ "$jobs_at_once" -le 4 ] || jobs_at_once=4
    tell_growth loaded $((size * 2)) "$new"
    docker exec "$name" pg_restore --username postgres --exit-on-error --no-owner --no-privileges --role mastodon --jobs "$jobs_at_once" \
        --use-list /dumps/list --dbname mastodon_production /dumps/old.dump >/dev/null 2>"$words" </dev/null || failed="The dump could not be loaded."
    tell_no_more
    [ -z "$failed" ] || leave "$failed"
}
# Whatever of the old media is not there in the same size is linked, so that it takes no more room and stays in both places; or copied
# where the two are on different file systems. Names of media are never used twice.
files_in() { (cd "$1" && find . -type f -printf '%s %P\0') | sort -z; }
carry_media() {
    [ -n "$media" ] || return 0
    files_in "$media" >"$dumps/files-there"
    files_in "$target" >"$dumps/files-here"
    comm -z -23 "$dumps/files-there" "$dumps/files-here" | sed -z 's/^[0-9]* //' >"$dumps/files"
    [ -s "$dumps/files" ] || return 0
    link='' probe=$(tr '\0' '\n' <"$dumps/files" | head -n 1)
    rm -f "$target/.probe"
    if ln "$media/$probe" "$target/.probe" 2>/dev/null; then link=l; fi
    rm -f "$target/.probe"
    say "  $(tr -cd '\0' <"$dumps/files" | wc -c) files are $([ -n "$link" ] && echo linked || echo copied)"
    tell_growth 'media here' "$(du -sm "$media" | cut -f 1)" "$target"
    failed=''
    (cd "$media" && xargs -0 -r cp "-a$link" --force --parents --target-directory "$target" <"$dumps/files") 2>"$words" || failed=yes
    tell_no_more
    # One that somebody deleted in the meantime is none that is missing.
    [ -z "$failed" ] || ! grep -v -e 'No such file' "$words" | grep -q . || leave "The media could not be carried over."
    find "$target" ! -user 991 -exec chown -h 991:991 {} + 2>"$words" || leave "The media could not be given to Mastodon."
}
: >"$words"

# How to go back, written down before anything has to. With "containers" it only starts the old ones, however far they are retired.
write_way_back() {
    {
        cat <<PROGRAM
#!/bin/sh
# Written by the suite. Goes back to the Mastodon of before the take-over, as it was then: what was written since is not in it.
# The suite's instance stays in $root. It may be cut off anywhere and started again.
# With the word "containers" it only starts the old containers, as a take-over does that fails.
set -eu
only=\${1-} others=$back.others left=''
PROGRAM
        cat <<'PROGRAM'
# The container $1 is on the network $2, with the options that follow. One that Compose has made anew has all that already.
join() {
    id=$1 network=$2
    shift 2
    on=$(docker container inspect --format "{{with index .NetworkSettings.Networks \"$network\"}}{{.NetworkID}}{{end}}" "$id" 2>/dev/null) || return 0
    [ "$on" != "$(docker network inspect --format '{{.Id}}' "$network")" ] || return 0
    docker network disconnect --force "$network" "$id" >/dev/null 2>&1 || true
    docker network connect "$@" "$network" "$id"
}
# The container $1 has the restart policy $2. Where that fails, it starts nevertheless.
restarts() { ! docker container inspect "$1" >/dev/null 2>&1 || docker update --restart="$2" "$1" >/dev/null || left=yes; }
complete() {
    [ -z "$left" ] || {
        echo "Some would not start by themselves after a reboot, as they did before. Run this again." >&2
        exit 1
    }
}
# The network $1 has the options $2. The suite has made another one of this name, where it needed other options.
as_before() {
    now=$(docker network inspect --format '--driver {{.Driver}}{{if .Internal}} --internal{{end}}{{if .EnableIPv6}} --ipv6{{end}}{{range .IPAM.Config}} --subnet {{.Subnet}}{{end}}' "$1" 2>/dev/null) || now=''
    [ "$now" != "$2" ] || return 0
    if [ -n "$now" ]; then
        # Who is on it, such as another site behind the proxy, is taken off, and gets back on the new one.
        for id in $(docker ps --all --quiet --no-trunc --filter "network=$1"); do
            echo "$id $1 $(docker container inspect --format "{{with index .NetworkSettings.Networks \"$1\"}}{{range .Aliases}}--alias {{.}} {{end}}{{end}}" "$id")" >>"$others"
            docker network disconnect --force "$1" "$id" >/dev/null 2>&1 || true
        done
        docker network rm "$1" >/dev/null || {
            echo "The network $1 has to be made anew, and somebody is on it: docker network inspect $1. Then run this again." >&2
            exit 1
        }
    fi
    # Its addresses may be another network's by now. Any others do, but it is told.
    docker network create $2 "$1" >/dev/null || docker network create ${2%% --subnet*} "$1" >/dev/null
}
if [ -z "$only" ]; then
    for unit in /etc/systemd/system/mstdn-*.timer; do
        [ ! -e "$unit" ] || systemctl disable --now "${unit##*/}" >/dev/null 2>&1 || true
    done
PROGRAM
        # Its exporters are on the others' network.
        for directory in "$root/monitoring" "$root" "$(known proxy)"; do
            printf '    [ ! -e %s/compose.yaml ] || docker compose --project-directory %s down\n' "$directory" "$directory"
        done
        for network in $networks; do
            made=$(docker network inspect --format '--driver {{.Driver}}{{if .Internal}} --internal{{end}}{{if .EnableIPv6}} --ipv6{{end}}{{range .IPAM.Config}} --subnet {{.Subnet}}{{end}}' "$network" 2>/dev/null) || continue
            printf "    as_before %s '%s'\n" "$network" "$made"
        done
        cat <<'PROGRAM'
    [ ! -e "$others" ] || while read -r id network options; do join "$id" "$network" $options || echo "$id was on the network $network, and could not get back on it." >&2; done <"$others"
    rm -f "$others"
fi
PROGRAM
        for id in $(all | ids); do
            on=$(docker inspect --format '{{range $network, $how := .NetworkSettings.Networks}}{{$network}}{{range $how.Aliases}} --alias {{.}}{{end}}{{"\n"}}{{end}}' "$id" 2>"$words") || return 1
            printf '%s\n' "$on" | while read -r network aliases; do
                case " $networks " in
                *" $network "*) printf 'join %s %s %s\n' "$id" "$network" "$aliases" ;;
                esac
            done
        done
        all | while IFS=$tab read -r id restart _; do printf 'restarts %s %s\n' "$id" "$restart"; done
        # A stop goes on in the engine when nobody waits for it any more, and what is about to end is not started.
        printf 'start() {\n    docker stop -t 120 %s >/dev/null 2>&1 || true\n' "$(all | ids | paste -sd ' ')"
        # What others need first. The old nginx may have asked for the address of web when it started, and never since.
        printf '    docker start %s >/dev/null' "$({ with_role 'db|redis|other'; with_role 'web|streaming|sidekiq'; } | paste -sd ' ')"
        [ -z "$fronts" ] || printf ' &&\n        docker restart -t 10 %s >/dev/null' "$fronts"
        [ -z "$(with_role proxy)" ] || printf ' &&\n        docker start %s >/dev/null' "$(with_role proxy | paste -sd ' ')"
        printf '\n}\n'
        cat <<'PROGRAM'
if [ -n "$only" ]; then
    start
    complete
    exit
fi
# Docker knows the network by which a container was made by its ID, and does not start it where that is gone.
start 2>/dev/null || {
    echo "A network of theirs was made anew, so Compose makes the containers anew, from the files of then."
PROGRAM
        known compose | while IFS=$tab read -r project directory; do
            printf '    docker compose --project-directory %s --project-name %s up --detach --force-recreate --no-build\n' "'$directory'" "$project"
        done
        printf '}\ncomplete\n'
        owner=$(known owner)
        [ -z "$media" ] || [ "$owner" = 991:991 ] || printf 'chown -R %s %s\n' "$owner" "'$media'"
        printf 'rm -f %s\necho "The old instance of %s runs again. To take it over another time: mv %s %s.gone; rm -f %s/instance"\n' "$note" "$domain" "$root" "$root" "${note%/*}"
    } >"$back.new" && chmod 0700 "$back.new" && sync "$back.new" && mv -fT "$back.new" "$back"
}

case $(known phase) in carried | finished)
    say "All is carried over already."
    exit 0
    ;;
esac
guard
if [ "$(known phase)" = switching ]; then
    ran=$(last_ran) || ran=''
    if [ -z "$ran" ] || [ "$ran" != "$(known ran)" ] || { [ ! -e "$new" ] && [ ! -s "$data/PG_VERSION" ]; }; then
        say "The old Mastodon has run since its database was dumped, so it is dumped once more."
        ran=''
        # The suite's Mastodon has never run with it: before all is carried over it is not started.
        [ -e "$new" ] || [ ! -e "$data/PG_VERSION" ] || mv -T "$data" "$new" 2>"$words" || leave "$data could not be moved."
        phase stopped || leave "The note $note could not be written."
    fi
fi
if [ "$(known phase)" = begun ] || [ "$(known phase)" = stopped ]; then
    throw_away
    rm -rf "$new" "$dumps" "$jobs"
    # They may be retired already, where an earlier attempt was cut off.
    if [ "$(known phase)" = stopped ]; then
        # shellcheck disable=SC2086 # one word for each container
        docker start $db $redis >/dev/null 2>"$words" || leave "The old database and Redis could not be started: docker start $db $redis"
        end=$(($(date +%s) + patience))
        until echo 'SELECT 1' | sql_of_old >/dev/null 2>"$words" || [ "$(date +%s)" -ge "$end" ]; do sleep 1; done
    fi
    [ "$(docker inspect --format '{{.State.Running}}' "$db" 2>/dev/null)" = true ] || leave "The old database does not run: docker start $db"
    say "1 of 7: make a new database with $image, beside the old one"
    mkdir "$dumps" "$new"
    chown 999:999 "$new" "$dumps"
    # Without a way to anybody, and with less to write: nobody needs what it has until it is complete.
    docker run --detach --name "$name" --network none --user 999:999 --read-only --cap-drop ALL --security-opt no-new-privileges \
        --log-driver json-file --log-opt max-size=1m --shm-size 256m --env PGDATA=/var/lib/postgresql/data \
        --env POSTGRES_PASSWORD_FILE=/run/secrets/postgres-superuser-password \
        --env 'POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256 --encoding=UTF8 --data-checksums' \
        --volume "$root/secrets/postgres-superuser-password:/run/secrets/postgres-superuser-password:ro" \
        --volume "$root/secrets/postgres-password:/run/secrets/postgres-password:ro" \
        --volume "$root/postgres:/docker-entrypoint-initdb.d:ro" \
        --mount type=tmpfs,destination=/var/lib/postgresql --volume "$new:/var/lib/postgresql/data" --volume "$dumps:/dumps:ro" --tmpfs /tmp \
        --tmpfs /run/postgresql:uid=999,gid=999,mode=0775 --stop-timeout 120 \
        "$image" postgres -c password_encryption=scram-sha-256 -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=1GB -c autovacuum=off >/dev/null 2>"$words" ||
        leave "The new PostgreSQL could not be started."
    end=$(($(date +%s) + patience))
    # Over TCP: while initdb runs, PostgreSQL answers on its socket only.
    until in_new pg_isready --quiet --host 127.0.0.1 --username postgres 2>/dev/null </dev/null; do
        if [ "$(date +%s)" -ge "$end" ] || [ "$(docker inspect --format '{{.State.Running}}' "$name" 2>/dev/null)" != true ]; then
            docker logs --tail 8 "$name" >"$words" 2>&1 || true
            leave "The new PostgreSQL did not come up."
        fi
        sleep 1
    done
    if [ "$(known phase)" = begun ]; then
        say "2 of 7: rehearse it while the old instance serves: dump its database, read the dump to its end, load it"
        began=$(date +%s)
        carry_database
        say "  that took $(($(date +%s) - began)) seconds, and will take as many once more while visitors wait"
        say "3 of 7: bring the media"
        carry_media
        say "4 of 7: stop the old Mastodon; its database serves on. Visitors are not served from now on; what others deliver comes again."
        phase stopped || leave "The note $note could not be written."
    fi
    # shellcheck disable=SC2086 # one word for each container
    docker stop -t 60 $writers >/dev/null 2>"$words" || leave "The old Mastodon could not be stopped."
    ran=$(last_ran) || leave "Docker did not say when the old Mastodon ran last."
    say "5 of 7: dump and load what there is now, and count the rows of every table on both sides"
    carry_database
    echo ANALYZE | sql_of_new mastodon_production >/dev/null 2>"$words" || leave "The new database could not be analyzed."
    printf '%s\n' "$COUNT" | sql_of_old >"$dumps/wanted" 2>"$words" || leave "The old database did not answer."
    printf '%s\n' "$COUNT" | sql_of_new mastodon_production >"$dumps/found" 2>"$words" || leave "The new database did not answer."
    sort -o "$dumps/wanted" "$dumps/wanted"
    sort -o "$dumps/found" "$dumps/found"
    diff "$dumps/wanted" "$dumps/found" >"$dumps/differences" || {
        grep '^[<>]' "$dumps/differences" | head -n 6 >"$words"
        leave "The new database has other numbers of rows than the old one (< old, > new)."
    }
    tables=$(grep -c '^rows ' "$dumps/wanted") rows=$(awk '$1 == "rows" { sum += $NF } END { print sum + 0 }' "$dumps/wanted")
    say "6 of 7: bring the jobs of Redis and the last media"
    mkdir -p "$jobs/appendonlydir"
    ask_redis SAVE >"$words" 2>&1 || leave "The old Redis did not answer."
    grep -q '^OK' "$words" || leave "The old Redis could not save its jobs."
    place=$(ask_redis CONFIG GET dir 2>"$words" | sed -n 2p)/$(ask_redis CONFIG GET dbfilename 2>"$words" | sed -n 2p)
    docker exec "$redis" cat "$place" >"$jobs/appendonlydir/appendonly.aof.1.base.rdb" 2>"$words" || leave "What the old Redis saved cannot be read: $place"
    [ "$(head -c 5 "$jobs/appendonlydir/appendonly.aof.1.base.rdb")" = REDIS ] || leave "What the old Redis saved is none of its files: $place"
    # Redis with an append-only file reads nothing else: what was saved is its beginning. Source: redis.io, "Persistence", 7.0.
    : >"$jobs/appendonlydir/appendonly.aof.1.incr.aof"
    printf 'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n' >"$jobs/appendonlydir/appendonly.aof.manifest"
    chown -R 999:999 "$jobs"
    carry_media
    docker stop -t 120 "$name" >/dev/null 2>"$words" || leave "The new PostgreSQL did not stop."
    [ "$(docker inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || leave "The new PostgreSQL did not stop in order."
    throw_away
    sync -f "$new"
    say "  all $tables tables have the $rows rows that they had"
    # What a full disk needs most.
    rm -rf "$dumps"
    [ -s "$back" ] || write_way_back || leave "The way back could not be written down: $back"
    # A restart of the engine starts what was stopped by hand.
    [ "$(last_ran)" = "$ran" ] || leave "The old Mastodon was started in between, so that not all of what it has written was dumped."
    phase switching || leave "The note $note could not be written."
fi

say "7 of 7: let the data take their place, and retire the old containers: they are stopped and kept"
if [ -e "$new" ]; then
    # An empty one is there since the files were written.
    [ ! -d "$data" ] || rmdir "$data" 2>"$words" || leave "Something has come into the place of the database."
    mv -T "$new" "$data" 2>"$words" || leave "The database could not be moved into its place."
fi
if [ -e "$jobs" ]; then
    mkdir -p "$queues"
    rm -rf "$queues/appendonlydir" "$queues/dump.rdb"
    mv -T "$jobs/appendonlydir" "$queues/appendonlydir"
    rmdir "$jobs"
fi
# The proxy is last, so that visitors are told something as long as possible.
for id in $writers $fronts $(with_role other) $redis $db $(with_role proxy); do
    docker update --restart=no "$id" >/dev/null 2>"$words" || leave "The old container $id could not be kept from starting by itself."
    docker stop -t 120 "$id" >/dev/null 2>"$words" || leave "The old container $id could not be stopped."
    # Networks of these names are the suite's, and have other options.
    for network in $networks; do docker network disconnect --force "$network" "$id" >/dev/null 2>&1 || true; done
done
# From now on nothing starts them by itself.
[ "$(last_ran)" = "$ran" ] || leave "The old Mastodon was started in between, so that not all of what it has written was dumped."
printf 'LOCAL_DOMAIN=%s\nMASTODON_VERSION=%s\n' "$domain" "$release" >state/.installed.new
chmod 0644 state/.installed.new
sync state/.installed.new
mv -fT state/.installed.new state/installed.env
phase carried || leave "The note $note could not be written."
trap - EXIT TERM INT
rm -rf "$dumps" "$words"
say "The data of $domain are carried over. The old containers and their files are kept; to go back: sh $back"
