# shellcheck shell=sh disable=SC2154,SC2034 # carry.sh, which comes after, uses some of them
# Goes before adopt/carry, with its arguments: how the old instance serves again. What a take-over that was killed has left is put in
# order here. After timers/ended.
root=$1 note=$3 back=$5 name=mstdn-adopt
words=$root/state/.adopt-words
known() { sed -n "s/^$1 //p" "$note" 2>/dev/null || true; }
# The note's phase is $1 now. One that could not be written whole, as on a full disk, does not take the place of the one before.
phase() {
    {
        printf 'phase %s\n' "$1"
        [ -z "${ran-}" ] || printf 'ran %s\n' "$ran"
        grep -v -e '^phase ' -e '^ran ' "$note"
    } >"$note.new" && chmod 0644 "$note.new" && sync "$note.new" && mv -fT "$note.new" "$note"
}
writers=$(known writers) fronts=$(known fronts)
# The old writers and when each was started last, as a checksum: whoever finds the same knows that none has run since.
last_ran() {
    # shellcheck disable=SC2086 # one word for each container
    times=$(docker inspect --format '{{.Id}} {{.State.StartedAt}}' $writers 2>"$words") || return 1
    printf '%s\n' "$times" | sha256sum | cut -d ' ' -f 1
}
# From the moment that the way back is written down, some may be retired already, and it knows how they were.
serve_again() {
    if [ -s "$back" ]; then
        sh "$back" containers >/dev/null 2>"$words"
        return
    fi
    # A stop goes on in the engine when nobody waits for it any more: what still runs may be about to end, and Docker would not start it.
    # shellcheck disable=SC2086 # one word for each container
    docker stop -t 60 $writers >/dev/null 2>&1 || true
    # The old nginx may have asked for the address of web when it started, and never since.
    # shellcheck disable=SC2086 # one word for each container
    docker start $writers >/dev/null 2>"$words" && { [ -z "$fronts" ] || docker restart -t 10 $fronts >/dev/null 2>"$words"; }
}
# What to type where that fails.
by_hand() { if [ -s "$back" ]; then echo "sh $back containers"; else echo "docker start $writers"; fi; }

if has_ended "Nothing is lost." "tasks/adopt.py --data yes=$(known domain)"; then
    [ "$SERVICE_RESULT" != success ] || exit 0
    docker rm --force --volumes "$name" >/dev/null 2>&1 || true
    case $(known phase) in
    stopped | switching)
        serve_again || echo "The old instance could not be started again ($(tail -n 1 "$words" 2>/dev/null)): $(by_hand)"
        ;;
    esac
    rm -f "$words"
    exit 0
fi
