# Restores the newest backup aside, into a database and a network of its own, and proves it. After repository.sh.
# shellcheck disable=SC2154 # repository.sh makes them
root=$MASTODON_ROOT work=$MASTODON_ROOT/drill name=mstdn-drill
export LC_ALL=C
# By lock.sh for a run, by a reboot, or by hand. See repository.sh.
trap 'trap "" TERM INT; sleep 0.2; give_up "The drill was told to stop, as for a run that needs the server. The backups are not proven by it; the next one begins anew." skipped 2>&7' TERM INT
free=$(awk '/^(MemAvailable|SwapFree):/ { kib += $2 } END { print int(kib / 1024) }' /proc/meminfo)
[ "$free" -ge "$DRILL_MEMORY_MIB" ] ||
    give_up "No drill was held: it takes $DRILL_MEMORY_MIB MiB of memory and swap, and $free MiB are free. The backups are not proven. Prove them on another server (docs/runbook.md, \"The drill\"), or set drill_memory_mib or swap_size_mib." skipped
[ ! -e "$notes/restoring" ] || give_up "A restore is under way. Finish it: pyinfra inventory.py tasks/restore.py"
db=$(container db) web=$(container web)
[ -n "$db" ] && [ -n "$web" ] || give_up "Mastodon does not run, and the drill takes its images. Deploy first: pyinfra inventory.py deploy.py"
open_repository never
surely 'looking for the newest backup' snapshots --json --host "$LOCAL_DOMAIN" --tag mstdn --latest 1 >"$RESTIC_CACHE_DIR/snapshots"
snapshot=$(grep -o '"short_id":"[0-9a-f]*"' "$RESTIC_CACHE_DIR/snapshots" | tail -n 1 | cut -d '"' -f 4)
[ -n "$snapshot" ] || give_up "$BACKUP_REPOSITORY has no backup of $LOCAL_DOMAIN. Make one: pyinfra inventory.py tasks/backup.py"

clean() {
    docker rm --force --volumes "$name-db" "$name-console" >/dev/null 2>&1 || true
    docker network rm "$name" >/dev/null 2>&1 || true
    rm -rf "$work"
}
clean
trap clean EXIT
mkdir "$work"
surely 'fetching the manifest' dump "$snapshot" "$root/backup/manifest" >"$work/manifest"
said() { sed -n "s/^$1 //p" "$work/manifest"; }
needed=$(($(said database_bytes) / 512 + 65536 + DRILL_MEDIA_FILES * 32768))
[ "$(free_kib "$work")" -ge "$needed" ] ||
    give_up "No drill was held: it takes $(mib "$needed") MiB in $root, and $(mib "$(free_kib "$work")") MiB are free. The backups are not proven." skipped

say "1 of 5: fetch $snapshot from $BACKUP_REPOSITORY"
surely 'fetching the dump' restore "$snapshot" --target "$work/fetched" --include "$root/backup" --include "$root/secrets/instance.env" --include "$root/mastodon.env" >/dev/null
fetched=$work/fetched$root
(cd "$fetched/backup" && sed -n 's/^sum //p' manifest | sha256sum --check --quiet --strict) >"$words" 2>&1 ||
    give_up "The backup $snapshot is not what was put into it: $(tail -n 2 "$words" | tr '\n' ' ')"

say "2 of 5: load the database aside ($(mib $(($(said database_bytes) / 1024))) MiB)"
docker network create --internal "$name" >/dev/null 2>"$words" || give_up "A network could not be made: $(cat "$words")"
mkdir "$work/database"
chown 999:999 "$work/database"
docker run --detach --name "$name-db" --network "$name" --network-alias drill-db --user 999:999 --cap-drop ALL --security-opt no-new-privileges \
    --log-driver none --memory 512m --shm-size 256m --env POSTGRES_HOST_AUTH_METHOD=trust --env PGDATA=/var/lib/postgresql/data \
    --mount type=tmpfs,destination=/var/lib/postgresql --volume "$work/database:/var/lib/postgresql/data" --tmpfs /run/postgresql:uid=999,gid=999,mode=0775 \
    "$(docker inspect --format '{{.Config.Image}}' "$db")" postgres -c fsync=off >/dev/null 2>"$words" ||
    give_up "A database could not be started aside: $(tail -n 3 "$words")"
end=$(($(date +%s) + 180))
# Over TCP: while it makes its first files, PostgreSQL answers on its socket only.
until docker exec "$name-db" pg_isready --quiet --host 127.0.0.1 --username postgres; do
    [ "$(date +%s)" -lt "$end" ] || give_up "The database aside did not come up within three minutes."
    sleep 1
done
printf '%s\n' 'CREATE ROLE mastodon LOGIN;' "CREATE DATABASE mastodon_production OWNER mastodon TEMPLATE template0 ENCODING 'UTF8';" |
    sql "$name-db" postgres >/dev/null 2>"$words" || give_up "The database aside did not answer: $(tail -n 3 "$words")"
docker exec -i "$name-db" pg_restore --username postgres --exit-on-error --dbname mastodon_production <"$fetched/backup/database.dump" >/dev/null 2>"$words" ||
    give_up "The dump in the backup $snapshot cannot be loaded: $(tail -n 3 "$words")"
printf '%s\n' "$COUNT_ROWS" | sql "$name-db" mastodon_production >"$work/rows" 2>"$words" || give_up "The loaded database did not answer: $(tail -n 3 "$words")"
grep '^rows ' "$work/manifest" | sort >"$work/wanted"
sort "$work/rows" | diff "$work/wanted" - >"$words" ||
    give_up "The loaded database has other numbers of rows than the backup $snapshot says (< backup, > loaded): $(grep '^[<>]' "$words" | head -n 6 | tr '\n' ' ')"
tables=$(wc -l <"$work/wanted") rows=$(awk '{ sum += $3 } END { print sum }' "$work/wanted")

say "3 of 5: read encrypted values with the backup's keys"
image=$(said web_image)
docker image inspect "$image" >/dev/null 2>&1 || image=$(docker inspect --format '{{.Config.Image}}' "$web")
# The later line counts: the keys are those of the backup, the database is the one aside.
for file in "$fetched/mastodon.env" "$root/secrets/operator.env" "$fetched/secrets/instance.env"; do
    [ ! -e "$file" ] || cat "$file"
done >"$work/environment"
printf "DB_HOST=drill-db\nDB_PASS=none\nREDIS_HOST=127.0.0.1\n" >>"$work/environment"
chown 991:991 "$work/environment"
chmod 0400 "$work/environment"
docker run --interactive --rm --name "$name-console" --network "$name" --user 991:991 --cap-drop ALL --security-opt no-new-privileges \
    --log-driver none --read-only --tmpfs /tmp --memory 1g --env BOOTSNAP_READONLY=true \
    --volume "$work/environment:/opt/mastodon/.env.production:ro" --entrypoint sh "$image" \
    -ec 'set -a; . /opt/mastodon/.env.production; set +a; exec bin/rails runner -' <"${0%/*}/prove.rb" >"$work/proof" 2>"$words" ||
    give_up "Mastodon could not be booted with what is in the backup $snapshot: $(tail -n 3 "$words")"
encrypted=$(sed -n 's/^encrypted //p' "$work/proof") unreadable=$(sed -n 's/^unreadable //p' "$work/proof")
[ -n "$encrypted" ] && [ "$unreadable" = 0 ] ||
    give_up "The keys in the backup $snapshot do not open what is encrypted in its database: ${unreadable:-all} of ${encrypted:-all} values. An instance restored from it would lose its two-factor log-ins and its signatures."

say "4 of 5: compare media"
sed -n 's/^media //p' "$work/manifest" | grep -v '[][*?\\]' | shuf -n "$DRILL_MEDIA_FILES" >"$work/sample" || true
files=$(wc -l <"$work/sample") media=$(said media_path)
media=${media:-$root/media}
if [ "$files" -gt 0 ]; then
    cut -c 69- "$work/sample" | sed "s|^|$media/|" >"$work/paths"
    set --
    while IFS= read -r path; do set -- "$@" --include "$path"; done <"$work/paths"
    surely 'fetching media' restore "$snapshot" --target "$work/fetched" "$@" >/dev/null
    (cd "$work/fetched$media" && sha256sum --check --quiet --strict "$work/sample") >"$words" 2>&1 ||
        give_up "Media of the backup $snapshot are not what was put into it: $(tail -n 3 "$words" | tr '\n' ' ')"
fi

say "5 of 5: check the repository, and read $DRILL_READ_DATA_PERCENT % of its data"
set --
[ "$DRILL_READ_DATA_PERCENT" = 0 ] || set -- "--read-data-subset=$DRILL_READ_DATA_PERCENT%"
surely 'checking the repository' check "$@" >"$work/checked"
proof="$tables tables with $rows rows, $encrypted encrypted values, $files media files"
printf 'time %s\nresult ok\nsnapshot %s\nwhy %s\n' "$(date +%s)" "$snapshot" "$proof" | note "$task-result"
say "The backup $snapshot is proven: $proof."
