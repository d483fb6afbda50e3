# Goes before the scripts of the database. Their first arguments are the directory of the project, the release, and the
# marker, the file that notes what is installed.
# shellcheck disable=SC2034 # some of these only the scripts themselves read
set -eu
directory=$1 release=$2 marker=$3
shift 3
cd "$directory"
# What rails printed in this run.
log=$directory/state/migration.log
(umask 077 && : >>"$log")
# A connection that breaks takes the words of this script with it, not its work.
trap '' PIPE

say() { printf '%s\n' "$*" 2>/dev/null || true; }
known() { [ ! -f "$marker" ] || sed -n "s/^$1=//p" "$marker"; }
# $1: local domain. $2: the release that the instance is at. $3: the one it is on its way to, with $4: what became of its
# migrations.
note() {
    {
        printf 'LOCAL_DOMAIN=%s\nMASTODON_VERSION=%s\n' "$1" "$2"
        [ $# -eq 2 ] || printf 'NEXT_VERSION=%s\nMIGRATIONS=%s\n' "$3" "$4"
    } >"$marker.new"
    sync "$marker.new"
    mv -fT "$marker.new" "$marker"
}

# Runs a command in a container of Mastodon's image; the arguments are options and the command. What it prints goes to $log,
# and each migration that begins or ends is told.
rails() {
    : >"$log"
    { ended=$({ { docker compose --progress quiet run --rm --no-deps -T --quiet-pull "$@" 2>&1 && echo 0 >&3 || echo $? >&3; } | tell >&4; } 3>&1); } 4>&1
    return "$ended"
}
tell() {
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
        '== '*': migrating '* | '== '*': migrated '*) say "$line" | sed 's/^== //; s/ *=*$//' ;;
        esac
    done
}
# Why rails failed: from the line that says that it gave up, without the lines of Ruby's own.
reason() {
    sed -n '/aborted!/,$p' "$log" | grep -v -E '^$|^/[^ ]*:[0-9]+:in |^Tasks: TOP|See full trace' | head -n 20 | grep . || tail -n 20 "$log"
}
# $1: the exit code of rails. $2: what it means for the site. Ends the script.
give_up() {
    if [ "$1" = 137 ]; then
        echo "Mastodon was killed while it worked on the database (exit code 137). As a rule the kernel does that when memory and"
        echo "swap are full, and then 'journalctl --dmesg' says so: stop what else runs here, or set a larger swap_size_mib."
    else
        reason
    fi >&2
    printf '\n%s\nAll that it printed is in %s on the server.\n' "$2" "$log" >&2
    exit 1
}
# The migrations in $log, the output of db:migrate:status, that did not run yet.
waiting() { grep -E '^[[:space:]]+down[[:space:]]' "$log"; }

# Asks the database, as its administrator, what stands on standard input. Its name tells it from those who are in its way.
sql() {
    docker compose exec -T -e PGAPPNAME=mstdn-migration db sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --username postgres --dbname mastodon_production --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1'
}
# A migration that is cut off while it builds an index beside the traffic leaves it behind, invalid, and the next attempt
# fails because it exists. $1: how long to wait for locks, in seconds.
INVALID="FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)"
drop_invalid_indexes() {
    names=$(echo "SELECT c.relname $INVALID" | sql) || return
    [ -n "$names" ] || return 0
    printf "SET lock_timeout = '%ss'; SELECT format('DROP INDEX CONCURRENTLY IF EXISTS %%I.%%I', n.nspname, c.relname) %s \\gexec\n" "$1" "$INVALID" | sql || return
    # shellcheck disable=SC2086 # on one line
    say "Removed what an interrupted migration had left of the index" $names
}
# Who keeps the suite's sessions waiting, one line each.
in_the_way() {
    sql <<'SQL'
SELECT format('  process %s: %s%s, its transaction open for %s (%s), last query: %s', b.pid,
    coalesce(nullif(b.application_name, ''), b.backend_type), coalesce(' at ' || host(b.client_addr), ''),
    date_trunc('second', clock_timestamp() - b.xact_start), b.state, left(regexp_replace(b.query, '\s+', ' ', 'g'), 200))
FROM (SELECT DISTINCT unnest(pg_blocking_pids(pid)) AS pid FROM pg_stat_activity WHERE application_name = 'mstdn-migration') w
JOIN pg_stat_activity b USING (pid)
SQL
}
# How far PostgreSQL is with an index, one line each.
indexes_at_work() {
    sql <<'SQL'
SELECT format('  index on %s: %s, %s', relid::regclass, phase,
    CASE WHEN blocks_total > 0 THEN format('%s of %s blocks', blocks_done, blocks_total) ELSE format('%s of %s rows', tuples_done, tuples_total) END)
FROM pg_stat_progress_create_index JOIN pg_stat_activity USING (pid) WHERE application_name = 'mstdn-migration'
SQL
}
# Looks for those in the way as long as this script works, and leaves what it found in $1. Twice a minute it tells of indexes.
watch() {
    looks=0
    while sleep 2 && kill -0 "$$" 2>/dev/null; do
        looks=$((looks + 1))
        [ $((looks % 15)) != 0 ] || indexes_at_work 2>/dev/null || true
        found=$(in_the_way 2>/dev/null) && [ -n "$found" ] || continue
        [ -s "$1" ] || say "A migration waits for a lock that somebody else holds:
$found"
        printf '%s\n' "$found" >"$1"
    done
}
# Runs the migrations. $1: what it means for the site if they fail. $2: how long each attempt may wait for locks, in seconds.
# The other arguments are options of docker.
migrate() {
    meaning=$1 timeouts=$2 blockers=$directory/state/.blockers
    shift 2
    for seconds in $timeouts; do
        [ -z "${waited:-}" ] || {
            say "A migration did not get its lock within $waited seconds. It has let the others go first, and tries again."
            sleep 5
        }
        : >"$blockers"
        watch "$blockers" 9>&- &
        watcher=$!
        ended=0
        # With client_connection_check_interval PostgreSQL does not go on for a migration that was killed.
        { drop_invalid_indexes "$seconds" 2>"$log" && rails -e PGAPPNAME=mstdn-migration -e "PGOPTIONS=-c lock_timeout=${seconds}s -c client_connection_check_interval=5s" "$@" migrate bundle exec rails db:migrate; } || ended=$?
        kill "$watcher" 2>/dev/null || true
        wait "$watcher" 2>/dev/null || true
        [ "$ended" != 0 ] || break
        grep -q 'due to lock timeout' "$log" || give_up "$ended" "$meaning"
        waited=$seconds
    done
    found=$(cat "$blockers")
    rm -f "$blockers"
    [ "$ended" != 0 ] || return 0
    pid=$(printf '%s\n' "$found" | sed -n '1s/^ *process \([0-9]*\):.*/\1/p')
    {
        echo "A migration needs a table for itself for a moment, and somebody does not let go of it:"
        printf '%s\n' "${found:-  (gone since)}"
        echo "If that may end, end it, by its number, and run again:"
        echo "  cd $directory && docker compose exec db psql --username postgres --command 'SELECT pg_terminate_backend(${pid:-NUMBER})'"
        echo "$meaning"
    } >&2
    exit 1
}
