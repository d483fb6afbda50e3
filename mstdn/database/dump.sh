# Dumps the database of the project in $1, which leaves its present release for the release $2, as rollback/RELEASE.dump, and
# proves that the dump can be read to its end. $3 notes what is installed. After migrations.sh and timers/growth.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
at=$(known MASTODON_VERSION) kept=$directory/rollback
install -d -m 0700 "$kept"
umask 077
rm -f "$kept"/.*.new
new=$kept/.$at.dump.new
trap 'rm -f "$new"' EXIT
in_db() { docker compose exec -T db "$@"; }
# $1: what went wrong; its words are in $log.
leave() {
    {
        printf '%s\n' "$1"
        tail -n 5 "$log"
        df -Ph "$kept" | awk 'NR == 2 { print "On " $6 " " $4 " are free." }'
        printf '%s still serves, and the database was not touched. Mend what is named above and run again.\n' "$at"
    } >&2
    exit 1
}
size=$(du -sm database/ | cut -f 1)
say "Dumping the database ($size MiB with its indexes), so that there is a way back to $at."
tell_growth dumped "$size" "$new"
ended=0
docker compose exec -T -e PGAPPNAME=mstdn-dump db pg_dump --username postgres --format custom --compress 3 mastodon_production 2>"$log" >"$new" || ended=$?
tell_no_more
[ "$ended" = 0 ] || leave "The database could not be dumped."
sync "$new"
tables=$(in_db pg_restore --list <"$new" 2>"$log" | grep -c ' TABLE DATA ') || leave "The dump of the database has no tables."
in_db pg_restore --file /dev/null <"$new" 2>"$log" || leave "The dump of the database cannot be read to its end."
mv -fT "$new" "$kept/$at.dump"
say "The dump of $tables tables has $(du -m "$kept/$at.dump" | cut -f 1) MiB and can be read."
# As the lock has it, for what follows.
umask 022
