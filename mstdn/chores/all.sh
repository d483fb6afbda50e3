# Does all chores. Each takes the lock by itself, so that a run or a backup that waits gets its turn between two of them.
set -eu
umask 077
notes=/var/lib/mstdn here=${0%/*}
# shellcheck source=/dev/null
. /usr/local/lib/mstdn/settings
[ -s "$MASTODON_ROOT/state/installed.env" ] || exit 0
[ ! -e "$notes/restoring" ] || { echo 'A restore is under way, and nothing is tidied up.' && exit 0; }
# Where it is down until a deployment, as after a way back, the release that is there may not be that of the database.
[ -n "$(docker ps --quiet --filter label=com.docker.compose.project=mstdn --filter label=com.docker.compose.service=web)" ] ||
    { echo 'Mastodon does not run, and nothing is tidied up.' && exit 0; }
note() {
    printf 'time %s\nresult %s\nwhy %s\n' "$(date +%s)" "$1" "$2" >"$notes/.chores-result.new"
    chmod 0644 "$notes/.chores-result.new"
    mv -fT "$notes/.chores-result.new" "$notes/chores-result"
}
# By lock.sh for a run, by a reboot, or by hand. A chore that is cut off has harmed nothing, and the next one finds what it left.
# systemd tells every process of the unit, and goes on until it finds no new one: what this starts to write its note must not listen.
trap 'trap "" TERM; echo "They were told to stop, as for a run that needs the server, and go on the next time."; note skipped "they were told to stop" || true; exit 0' TERM
why=''
left=$CHORES
while [ -n "$left" ]; do
    chore=${left%%;*}
    left=${left#"$chore"}
    left=${left#;}
    # shellcheck disable=SC2086 # words
    "$here/chore" $chore || why="$why${why:+, }tootctl $chore"
done
if [ -n "$why" ]; then
    note failed "$why: the journal says why (journalctl --unit mstdn-chores)"
    exit 1
fi
note ok ''
