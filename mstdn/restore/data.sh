# Brings the data of the snapshot that the note "restoring" names into their place, and then everybody's feed. It may be killed
# anywhere and started again. After repository.sh.
# shellcheck disable=SC2034,SC2154 # repository.sh makes and reads them
root=$MASTODON_ROOT work=$MASTODON_ROOT/restore
export LC_ALL=C
snapshot=$(sed -n 's/^snapshot //p' "$notes/restoring" 2>/dev/null) && [ -n "$snapshot" ] ||
    give_up "No restore is under way. Begin one: pyinfra inventory.py tasks/restore.py"
# Adds the line $1 to the note.
so_far() {
    {
        cat "$notes/restoring"
        echo "$1"
    } | note restoring
}
# Whether the note has the line $1. What is kept is thrown away where it has not, so a note that cannot be read is no answer.
is_noted() {
    code=0
    grep -qx "$1" "$notes/restoring" || code=$?
    [ "$code" -le 1 ] || give_up "$notes/restoring, which says how far this restore is, cannot be read. Run again."
    return "$code"
}
# The containers of Mastodon's service $1, stopped ones too. Not the dead ones, which Docker could not remove: they never start again,
# and refuse every change.
containers() {
    docker ps --quiet --no-trunc --filter status=created --filter status=running --filter status=paused --filter status=restarting \
        --filter status=exited --filter label=com.docker.compose.oneoff=False --filter label=com.docker.compose.project=mstdn \
        --filter "label=com.docker.compose.service=$1"
}
if is_noted 'data restored'; then
    say "Build everybody's feed"
    web=$(container web)
    [ -n "$web" ] || give_up "Mastodon does not run yet. Go on with: pyinfra inventory.py tasks/restore.py"
    # As a rule they were made anew since they were kept down. Where nobody had noted how they were made, they were only started.
    for service in sidekiq web streaming; do
        for id in $(containers "$service"); do
            [ "$(docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$id")" != no ] || docker update --restart always "$id" >/dev/null 2>"$words" ||
                give_up "After a reboot $service would not start by itself: $(tail -n 3 "$words"). Run again."
        done
    done
    docker exec "$web" bin/tootctl feeds build --all >"$RESTIC_CACHE_DIR/feeds" 2>&1 ||
        give_up "The feeds could not be built: $(tail -n 3 "$RESTIC_CACHE_DIR/feeds")"
    printf 'time %s\nresult ok\nwhy %s\n' "$(date +%s)" "$snapshot" | note "$task-result"
    rm -f "$notes/restoring"
    say "The backup $snapshot is restored. What was here before, if anything, is in the database mastodon_before_restore, in $root/redis/before-restore and in $root/secrets/instance.env.before-restore."
    exit 0
fi
db=$(container db) redis=$(container redis)
[ -n "$db" ] && [ -n "$redis" ] || give_up "The database or Redis does not run. Go on with: pyinfra inventory.py tasks/restore.py"
open_repository never

grep -q '^data ' "$notes/restoring" || advice=' Nothing of the instance was changed. An older backup may be whole: pyinfra inventory.py tasks/restore.py --data snapshot=…'
say "1 of 5: fetch the dump of $snapshot from $BACKUP_REPOSITORY"
rm -rf "$work"
mkdir "$work"
# What was loaded by half would keep a full disk full, and PostgreSQL with it.
leave_nothing() {
    rm -rf "$work" "$root/media/.restoring"
    echo 'DROP DATABASE IF EXISTS mastodon_restored WITH (FORCE);' | sql "$db" postgres >/dev/null 2>&1 || true
}
trap leave_nothing EXIT
surely 'fetching the dump' restore "$snapshot" --target "$work" --include "$root/backup" --include "$root/state/installed.env" --include "$root/secrets/instance.env" >/dev/null
fetched=$work$root
(cd "$fetched/backup" && sed -n 's/^sum //p' manifest | sha256sum --check --quiet --strict) >"$words" 2>&1 ||
    give_up "The backup $snapshot is not what was put into it ($(tail -n 2 "$words" | tr '\n' ' ')). Nothing was changed. Restore another one: --data snapshot=…; see /usr/local/lib/mstdn/restic snapshots"
[ -s "$fetched/state/installed.env" ] && [ "$(tail -n 1 "$fetched/secrets/instance.env")" = '# complete' ] ||
    give_up "The backup $snapshot has no keys of the instance. Nothing was changed."
docker exec -i "$db" pg_restore --file /dev/null <"$fetched/backup/database.dump" >/dev/null 2>"$words" ||
    give_up "The dump in the backup $snapshot cannot be read: $(tail -n 3 "$words"). Nothing was changed."

say "2 of 5: bring the media back ($(mib "$(sed -n 's/^media_kib //p' "$fetched/backup/manifest")") MiB)"
lay=$(sed -n 's/^media_path //p' "$fetched/backup/manifest")
lay=${lay:-$root/media}
# The names of media are never used twice, so this writes only what is missing or damaged.
if [ "$lay" = "$root/media" ] && [ ! -L "$root/media" ]; then
    surely 'bringing the media back' restore "$snapshot" --target / --include "$lay" >/dev/null
else
    # Where they lie or lay behind a link, restic (from 0.17 on) would put a directory in the place of the link. It writes beside
    # them, on the same disk, and what it wrote gets a second name in its place.
    beside=$root/media/.restoring
    mkdir -p "$beside"
    surely 'bringing the media back' restore "$snapshot" --target "$beside" --include "$lay" >/dev/null
    [ -L "$beside$lay" ] || [ ! -d "$beside$lay" ] || cp -alfT "$beside$lay" "$root/media/" 2>"$words" || give_up "The media could not take their place: $(tail -n 3 "$words"). Run again."
    rm -rf "$beside"
fi

say "3 of 5: load the database beside the present one ($(mib $(($(sed -n 's/^database_bytes //p' "$fetched/backup/manifest") / 1024))) MiB)"
printf '%s\n' 'DROP DATABASE IF EXISTS mastodon_restored WITH (FORCE);' \
    "CREATE DATABASE mastodon_restored OWNER mastodon TEMPLATE template0 ENCODING 'UTF8';" | sql "$db" postgres >"$words" 2>&1 ||
    give_up "The database could not be made: $(tail -n 3 "$words")"
docker exec -i "$db" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password 2>/dev/null) exec pg_restore --username postgres --exit-on-error --dbname mastodon_restored' \
    <"$fetched/backup/database.dump" >/dev/null 2>"$words" || give_up "The dump could not be loaded: $(tail -n 3 "$words"). The present database is untouched."
printf 'ANALYZE;\n%s\n' "$COUNT_ROWS" | sql "$db" mastodon_restored >"$work/rows" 2>"$words" ||
    give_up "The loaded database did not answer: $(tail -n 3 "$words")"
grep '^rows ' "$fetched/backup/manifest" | sort >"$work/wanted"
sort "$work/rows" | diff "$work/wanted" - >"$words" ||
    give_up "The loaded database has other numbers of rows than the backup says (< backup, > loaded): $(grep '^[<>]' "$words" | head -n 6 | tr '\n' ' ')The present database is untouched."

# What was here when this restore began is kept, and not what an earlier attempt of it had made. The word in the database tells
# them apart, for it is written in the same moment as the name. Only an answer lets a database go: this one has a line in any case.
mark="before the restore of $snapshot, begun $(sed -n 's/^begun //p' "$notes/restoring")"
kept=$(echo "SELECT 'kept: ' || coalesce((SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'mastodon_before_restore'), '')" | sql "$db" postgres 2>"$words") || kept=
case $kept in
'kept: '*) ;;
*) give_up "The database did not say what an earlier attempt has kept, so nothing takes another one's place now: $(tail -n 3 "$words"). As a rule memory or disk is full. Run again: pyinfra inventory.py tasks/restore.py" ;;
esac
aside=mastodon_before_restore
if [ "${kept#kept: }" = "$mark" ]; then
    aside=mastodon_discarded
else
    # A database without tables is nothing to keep. One whose tables cannot be counted, as when it is damaged, may hold everything.
    tables=$(echo "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'" | sql "$db" mastodon_production 2>"$words") || tables=unknown
    case $tables in
    0) aside=mastodon_discarded ;;
    '' | *[!0-9]*) say "The present database did not say what is in it, so it is kept as it is: $(tail -n 3 "$words")" ;;
    esac
fi

# From here on the backup that was begun has to be finished: what is here is no whole instance any more until then.
is_noted 'data replaced' || so_far 'data replaced'
advice=''
say "4 of 5: stop Mastodon, and let the loaded database and jobs take their place"
# A reboot brings back what has the rule "always", also what was stopped by hand. The Mastodon of before would work on half of the
# backup, with other keys. The deployment that follows makes these containers anew.
for service in sidekiq web streaming; do
    ids=$(containers "$service" 2>"$words") || give_up "Docker did not say which containers Mastodon has: $(tail -n 3 "$words"). Run again."
    for id in $ids; do
        { docker update --restart no "$id" && docker stop "$id"; } >/dev/null 2>"$words" ||
            give_up "$service could not be stopped for as long as this takes: $(tail -n 3 "$words"). Run again."
    done
done
sql "$db" postgres >"$words" 2>&1 <<SQL || give_up "The databases could not change places: $(tail -n 3 "$words"). Run again."
DROP DATABASE IF EXISTS $aside WITH (FORCE);
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('mastodon_production', 'mastodon_restored') AND pid <> pg_backend_pid();
BEGIN;
ALTER DATABASE mastodon_production RENAME TO $aside;
ALTER DATABASE mastodon_restored RENAME TO mastodon_production;
COMMENT ON DATABASE $aside IS '$mark';
COMMIT;
DROP DATABASE IF EXISTS mastodon_discarded WITH (FORCE);
SQL
docker stop "$redis" >/dev/null 2>"$words" || give_up "Redis could not be stopped: $(tail -n 3 "$words"). Run again."
if ! is_noted 'jobs kept'; then
    rm -rf "$root/redis/before-restore"
    mkdir "$root/redis/before-restore"
    so_far 'jobs kept'
fi
# What is there still is of before: everything of an earlier attempt goes, once the rest has been put aside.
for path in appendonlydir dump.rdb; do
    if [ -e "$root/redis/$path" ] && [ ! -e "$root/redis/before-restore/$path" ]; then
        mv -T "$root/redis/$path" "$root/redis/before-restore/$path"
    fi
    rm -rf "$root/redis/${path:?}"
done
# Redis with an append-only file reads nothing else: what was saved is its beginning. Source: redis.io, "Persistence", 7.0.
mkdir "$root/redis/appendonlydir"
cp "$fetched/backup/redis.rdb" "$root/redis/appendonlydir/appendonly.aof.1.base.rdb"
: >"$root/redis/appendonlydir/appendonly.aof.1.incr.aof"
printf 'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n' >"$root/redis/appendonlydir/appendonly.aof.manifest"
chown -R --reference="$root/redis" "$root/redis/appendonlydir" "$root/redis/before-restore"
docker start "$redis" >/dev/null 2>"$words" || give_up "Redis could not be started: $(tail -n 3 "$words"). Run again."

say "5 of 5: put the keys into their place"
if ! cmp -s "$fetched/secrets/instance.env" "$root/secrets/instance.env"; then
    is_noted 'keys kept' || {
        cp -p "$root/secrets/instance.env" "$root/secrets/instance.env.before-restore"
        so_far 'keys kept'
    }
    # The accounts in PostgreSQL belong to no database and have come with none. Both passwords are hexadecimal digits.
    sed -n "s/^DB_PASS=\([0-9a-f]*\)$/ALTER ROLE mastodon PASSWORD '\1';/p; s/^POSTGRES_PASSWORD=\([0-9a-f]*\)$/ALTER ROLE postgres PASSWORD '\1';/p" \
        "$fetched/secrets/instance.env" | sql "$db" postgres >/dev/null 2>"$words" || give_up "PostgreSQL did not take the passwords: run again."
    cp "$fetched/secrets/instance.env" "$root/secrets/instance.env.new"
    chown 0:0 "$root/secrets/instance.env.new"
    chmod 0600 "$root/secrets/instance.env.new"
    mv -fT "$root/secrets/instance.env.new" "$root/secrets/instance.env"
fi
cp "$fetched/state/installed.env" "$root/state/installed.env.new"
chmod 0644 "$root/state/installed.env.new"
mv -fT "$root/state/installed.env.new" "$root/state/installed.env"
sync "$root/state/installed.env" "$root/secrets/instance.env"
# Certificates come last: they would say that an instance is installed here. Those of a site that has some stay.
set --
if ! ls "$PROXY_ROOT"/certs/*.crt >/dev/null 2>&1; then
    for path in certs acme vhost.d htpasswd; do set -- "$@" --include "$PROXY_ROOT/$path"; done
fi
for path in compose.override.yaml compose.override.yml docker-compose.override.yaml docker-compose.override.yml; do
    [ -e "$root/$path" ] || set -- "$@" --include "$root/$path"
done
[ $# -eq 0 ] || surely 'bringing the certificates back' restore "$snapshot" --target / "$@" >/dev/null
so_far 'data restored'
say "Database, jobs, media and keys are those of $snapshot; every table has as many rows as it had."
