# Makes a backup of the instance. After repository.sh.
# shellcheck disable=SC2154 # repository.sh makes them
root=$MASTODON_ROOT work=$MASTODON_ROOT/backup
export LC_ALL=C
[ -s "$root/state/installed.env" ] || give_up "There is no instance in $root to back up. Is its disk mounted?"
if [ -e "$notes/restoring" ]; then
    instead=''
    grep -q '^data ' "$notes/restoring" || instead=" It has replaced nothing yet, so it may be given up as well, on this server: rm $notes/restoring; systemctl reset-failed mstdn-restore"
    give_up "A restore was begun and is not finished, so no backup is made. Finish it: pyinfra inventory.py tasks/restore.py$instead"
fi
db=$(container db) redis=$(container redis)
[ -n "$db" ] && [ -n "$redis" ] || give_up "The database or Redis does not run, so no backup can be made. Deploy first: pyinfra inventory.py deploy.py"
open_repository make
instance=$(instance_of "$root/secrets/instance.env")
surely 'listing the backups' snapshots --json --host "$LOCAL_DOMAIN" --tag mstdn >"$RESTIC_CACHE_DIR/snapshots"
known=$(grep -o '"instance-[0-9a-f]*"' "$RESTIC_CACHE_DIR/snapshots" | tr -d '"' | sort -u || true)
if [ -n "$known" ] && ! printf '%s\n' "$known" | grep -qx "instance-$instance"; then
    give_up "$BACKUP_REPOSITORY holds backups of another $LOCAL_DOMAIN, with other keys than this server has. Was this server set up anew? Then bring the old one back: pyinfra inventory.py tasks/restore.py --data replace=yes. A new instance needs another repository."
fi

# Left by a program that was killed.
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
bytes=$(echo "SELECT pg_database_size('mastodon_production')" | sql "$db" mastodon_production) ||
    give_up "The database did not answer, so no backup was made."
case $bytes in '' | *[!0-9]*) give_up "The database did not say how large it is, so no backup was made: $bytes" ;; esac
needed=$((bytes * 11 / 10240 + $(du -sk "$root/redis/" | cut -f 1) + 65536))
[ "$(free_kib "$work")" -ge "$needed" ] ||
    give_up "A backup needs $(mib "$needed") MiB in $root for a moment, and $(mib "$(free_kib "$work")") MiB are free. docs/runbook.md, \"The disk fills\", says what can go."

say "1 of 5: dump the database ($(mib $((bytes / 1024))) MiB)"
# One look at the database for the dump and for the numbers of its rows: the dump comes on standard output, the numbers and
# what is wrong on the other. That pg_dump came to its end is said by the last line; a dump that was cut off has none.
# Not compressed: what did not change since yesterday is then found again, and restic compresses.
{
    cat <<'SQL'
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --username postgres --format custom --compress 0 --lock-wait-timeout 60000 --snapshot "$SNAPSHOT" mastodon_production && echo "dumped" >&2
\o | cat >&2
SQL
    printf '%s\n' "$COUNT_ROWS"
    echo "SELECT 'postgres ' || current_setting('server_version');"
} | sql "$db" mastodon_production >"$work/database.dump" 2>"$work/said" || echo 'psql did not come to its end' >>"$work/said"
if ! grep -qx dumped "$work/said" || grep -qx 'psql did not come to its end' "$work/said"; then
    give_up "The database could not be dumped, so no backup was made: $(grep -v -e '^rows ' -e '^dumped$' "$work/said" | tail -n 5)"
fi
# The list stands at the beginning of a dump; that nothing is missing at its end is known when all of it has been read.
if ! docker exec -i "$db" pg_restore --list <"$work/database.dump" >"$work/list" 2>"$words" ||
    ! docker exec -i "$db" pg_restore --file /dev/null <"$work/database.dump" >/dev/null 2>"$words"; then
    give_up "The dump of the database cannot be read back, so no backup was made: $(tail -n 3 "$words")"
fi
# The backups that there are hold what this one would not, and must not make room for it.
grep -q ' TABLE DATA ' "$work/list" ||
    give_up "The database holds no tables, so no backup was made. What to do says: pyinfra inventory.py deploy.py"

say "2 of 5: have Redis save its jobs"
ask_redis() { docker exec "$redis" sh -c 'REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf) exec redis-cli "$@"' sh "$@"; }
# Each start of Redis has a name of its own; "" where it does not say which.
start_of_redis() { ask_redis INFO server 2>"$words" | tee "$work/server" | sed -n 's/^run_id:\([0-9a-f]*\).*/\1/p'; }
# Which file is there; nothing without one. Redis renames a new one into its place once it is whole, so another one is the proof that
# it has saved, whatever the clock says. The time that LASTSAVE tells is none: after a start it is the time of that (initServer in
# its src/server.c).
saved() { stat -c '%i %y' "$root/redis/dump.rdb" 2>/dev/null || true; }
start=$(start_of_redis) old=$(saved) end=$(($(date +%s) + 600))
[ -n "$start" ] || give_up "Redis did not answer, so no backup was made: $(cat "$work/server" "$words" | tail -n 3)"
ask_redis BGSAVE SCHEDULE >/dev/null 2>&1 || give_up "Redis did not answer, so no backup was made."
while :; do
    new=$(saved)
    if [ -n "$new" ] && [ "$new" != "$old" ]; then break; fi
    # While it is away there is no answer; one that comes back knows nothing of what the one before should have saved.
    now=$(start_of_redis)
    [ -z "$now" ] || [ "$now" = "$start" ] ||
        give_up "Redis ended while it saved its jobs, so no backup was made. As a rule memory is full; its log says more: docker logs --tail 40 $redis"
    ask_redis INFO persistence | tr -d '\r' >"$work/persistence"
    if grep -qx 'rdb_last_bgsave_status:err' "$work/persistence" && grep -qx 'rdb_bgsave_in_progress:0' "$work/persistence" || [ "$(date +%s)" -ge "$end" ]; then
        give_up "Redis could not save its jobs, so no backup was made: there is no new $root/redis/dump.rdb. As a rule memory or disk is full; its log says more: docker logs --tail 20 $redis"
    fi
    sleep 0.5
done
cp "$root/redis/dump.rdb" "$work/redis.rdb" 2>"$words" ||
    give_up "What Redis saved could not be copied, so no backup was made: $(tail -n 3 "$words")"
[ "$(head -c 5 "$work/redis.rdb")" = REDIS ] || give_up "What Redis saved cannot be read, so no backup was made: $root/redis/dump.rdb"

say "3 of 5: look at the media"
# A link to a bigger disk restic would take as a link, and nothing of what it leads to.
media=$root/media
[ ! -L "$media" ] || media=$(readlink -f "$media")
set -- .
[ "$BACKUP_MEDIA_CACHE" = yes ] || set -- --exclude ./cache .
{
    printf 'format 1\ntime %s\ndomain %s\ninstance %s\nsuite %s\nroot %s\nproxy %s\n' "$(date +%s)" "$LOCAL_DOMAIN" "$instance" \
        "$(cat "$root/state/suite" 2>/dev/null || echo unknown)" "$root" "$PROXY_ROOT"
    sed -n 's/=/ /; s/^MASTODON_VERSION /mastodon /p; s/^NEXT_VERSION /next /p' "$root/state/installed.env"
    printf 'web_image %s\n' "$(docker inspect --format '{{.Config.Image}}' "$(container web)" 2>/dev/null || echo unknown)"
    printf 'database_bytes %s\nmedia_kib %s\nmedia_path %s\n' "$bytes" "$(cd "$media" && du -sk "$@" 2>/dev/null | cut -f 1)" "$media"
    grep -E '^(rows|postgres) ' "$work/said"
    (cd "$work" && sha256sum database.dump redis.rdb) | sed 's/^/sum /'
    # A few at random, each night others: a drill looks whether they come back as they were.
    (cd "$media" && find . -path ./cache -prune -o -type f -size -32M -print0 | shuf -z -n 50 | xargs -0 -r sha256sum -- 2>/dev/null) | sed 's/^/media /' || true
} >"$work/manifest"
rm -f "$work/said" "$work/list" "$work/server" "$work/persistence"

# All that has to be of one moment lies in $work. To send it may take hours, in which the server may be changed.
exec 9>&-
say "4 of 5: send it to $BACKUP_REPOSITORY"
set -- "$work" "$root/secrets/instance.env" "$root/state" "$media"
for path in "$root"/compose*.y*ml "$root"/docker-compose.override.y*ml "$root"/*.env "$root/nginx" "$PROXY_ROOT"/compose*.y*ml "$PROXY_ROOT/certs" "$PROXY_ROOT/acme" "$PROXY_ROOT/vhost.d" "$PROXY_ROOT/htpasswd" "$notes/instance"; do
    [ ! -e "$path" ] || set -- "$@" "$path"
done
[ "$BACKUP_MEDIA_CACHE" = yes ] || set -- --exclude "$media/cache" "$@"
{
    quietly backup --host "$LOCAL_DOMAIN" --tag "mstdn,instance-$instance" "$@" || true
    echo "$ended" >"$RESTIC_CACHE_DIR/ended"
} | tee "$RESTIC_CACHE_DIR/sent" | grep -E '^(\[|Files:|Added|processed)' || true
ended=$(cat "$RESTIC_CACHE_DIR/ended")
snapshot=$(sed -n 's/^snapshot \([0-9a-f]*\) saved.*/\1/p' "$RESTIC_CACHE_DIR/sent")
# With 3 there is a snapshot without some of the files. A picture that somebody deleted in the meantime is none of them.
if [ "$ended" = 3 ] && ! grep -iE '^error' "$words" | grep -qv 'no such file or directory'; then ended=0; fi
if [ "$ended" != 0 ]; then
    why=$(explain 'sending the backup')
    [ -z "$snapshot" ] || quietly forget "$snapshot" >/dev/null || true
    give_up "$why"
fi
[ -n "$snapshot" ] || give_up "restic did not say which backup it made: $(tail -n 3 "$RESTIC_CACHE_DIR/sent")"
printf 'time %s\nsnapshot %s\ninstance %s\nlocation %s\n' "$(date +%s)" "$snapshot" "$instance" "$BACKUP_REPOSITORY" | note backup

say "5 of 5: keep $BACKUP_KEEP_DAILY daily, $BACKUP_KEEP_WEEKLY weekly and $BACKUP_KEEP_MONTHLY monthly backups"
surely 'removing old backups' forget --host "$LOCAL_DOMAIN" --tag mstdn --group-by host --keep-last 1 --keep-daily "$BACKUP_KEEP_DAILY" \
    --keep-weekly "$BACKUP_KEEP_WEEKLY" --keep-monthly "$BACKUP_KEEP_MONTHLY" --prune --max-unused 10% >"$RESTIC_CACHE_DIR/forgotten"
printf 'time %s\nresult ok\nwhy\n' "$(date +%s)" | note "$task-result"
say "Backup $snapshot of $LOCAL_DOMAIN is in $BACKUP_REPOSITORY."
