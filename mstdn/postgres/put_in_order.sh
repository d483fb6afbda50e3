# shellcheck shell=sh disable=SC2154,SC2034 # upgrade.sh, which comes after, makes and uses some of them
# Goes before postgres/upgrade, with its arguments: which of two data directories is in place, and how it serves. What a move that was
# killed has left is put in order here. After timers/ended and docker/container.
root=$1 image=$2 note=$3 patience=$4
data=$(readlink -m "$root/database")
new=$data.new dumps=$data.dumps before=$data.before words=$root/state/.postgres-words name=mstdn-postgres-upgrade
again="pyinfra inventory.py tasks/postgres_upgrade.py"

known() { sed -n "s/^$1 //p" "$note" 2>/dev/null || true; }
# What was noted, for whoever writes the note anew.
recall() { from=$(known from) was=$(known was) old=$(known old) ran=$(known ran); }
# The note's phase is $1 now. One that could not be written whole, as on a full disk, does not take the place of the one before.
phase() {
    printf 'phase %s\nimage %s\nwas %s\nfrom %s\nold %s\nran %s\n' "$1" "$image" "$was" "$from" "$old" "$ran" >"$note.new" &&
        sync "$note.new" && mv -fT "$note.new" "$note"
}
# The control file of the data directory $1, as a checksum. PostgreSQL writes it when it starts and when it stops, and nobody else does:
# whoever finds the same has a directory on which it has not run since.
mark() { sha256sum "$1/global/pg_control" 2>/dev/null | cut -d ' ' -f 1; }
# Mastodon's containers and when each was started last, as a checksum: whoever finds the same knows that it has not run since.
last_ran() {
    programs=$(docker ps --all --no-trunc --filter label=com.docker.compose.project=mstdn --format '{{.ID}} {{.Label "com.docker.compose.service"}}' 2>"$words") || return 1
    programs=$(printf '%s\n' "$programs" | awk '$2 ~ /^(web|streaming|sidekiq)$/ { print $1 }')
    # shellcheck disable=SC2086 # one word for each container
    times=$(docker inspect --format '{{.Id}} {{.State.StartedAt}}' $programs 2>"$words") || return 1
    printf '%s\n' "$times" | sort | sha256sum | cut -d ' ' -f 1
}
# Which directory is in place: "old" or "new"; "none" while they change places; "?" where somebody has put something else there.
in_place() {
    there=''
    [ ! -s "$data/PG_VERSION" ] || there=data
    [ ! -e "$new" ] || there=$there+new
    [ ! -e "$before" ] || there=$there+before
    case $there in
    data | data+new) echo old ;;
    data+before) echo new ;;
    +new+before) echo none ;;
    # Whose the third one is, is not known, but the old one is known.
    data+new+before) if [ "$(mark "$data")" = "$(known old)" ]; then echo old; else echo '?'; fi ;;
    *) echo '?' ;;
    esac
}
# The name of db's image in compose.yaml becomes $1.
write_image() {
    awk -v image="$1" '/^  [^ #]+:$/ { service = $1 } service == "db:" && $1 == "image:" { $0 = "    image: " image } { print }' compose.yaml >.compose.yaml.new &&
        chmod --reference=compose.yaml .compose.yaml.new && chown --reference=compose.yaml .compose.yaml.new || return 1
    cmp -s compose.yaml .compose.yaml.new || {
        mv -fT .compose.yaml.new compose.yaml
        return
    }
    rm -f .compose.yaml.new
}
image_now() { awk '/^  [^ #]+:$/ { service = $1 } service == "db:" && $1 == "image:" { print $2 }' compose.yaml; }
# The database comes up as compose.yaml says, or this fails.
start_db() {
    docker compose up --detach --no-build --no-deps --wait --wait-timeout "$patience" db >"$words" 2>&1 || true
    db=$(container_of mstdn db)
    [ -n "$db" ] && [ "$(docker inspect --format '{{.State.Health.Status}}' "$db")" = healthy ]
}
start_mastodon() { docker compose start web streaming sidekiq >"$words" 2>&1; }
# A stop goes on in the engine when nobody waits for it any more: what still runs may be about to end, and Docker would start none of it.
serve_again() {
    docker compose stop db web streaming sidekiq >/dev/null 2>&1 || true
    start_db && start_mastodon
}
# db's container goes. Where the power fails while the directories change places, the engine would start it on one that is not its own.
take_db_away() { docker compose rm --force --stop --volumes db >"$words" 2>&1; }
# The old directory gets its place again, from which it was taken.
put_back() {
    take_db_away && write_image "$was" 2>"$words" || return 1
    # An empty one, which the engine has made where db was to start without one.
    [ ! -d "$data" ] || rmdir "$data" 2>"$words" || return 1
    mv -T "$before" "$data" 2>"$words"
}

if has_ended "Nothing is lost." tasks/postgres_upgrade.py; then
    [ "$SERVICE_RESULT" != success ] && cd "$root" || exit 0
    umask 077
    docker rm --force --volumes "$name" >/dev/null 2>&1 || true
    recall
    place=old
    case $(known phase) in
    stopped) ;;
    switching)
        [ "$(in_place)" != none ] || put_back || true
        place=$(in_place)
        ;;
    *) place='' ;;
    esac
    case $place in
    old | new) serve_again || echo "Mastodon could not be started again ($(tail -n 1 "$words")). Mend that, and run again: $again" ;;
    none | '?') echo "The old data directory is not in its place, so nothing was started ($(tail -n 1 "$words" 2>/dev/null)). Run again: $again" ;;
    esac
    # From now on the old one is written to: what was made of it counts no longer.
    [ "$place" != old ] || phase stopped || true
    rm -f "$words"
    exit 0
fi
