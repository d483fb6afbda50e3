# shellcheck disable=SC2154 # connection.sh, which goes before, makes it
# Goes before each script that changes something. One run at a time works on a server: it holds it from its first change until its
# connection ends, which is a process here, its sshd. A connection that died unnoticed holds it for a quarter of an hour at most.
# $run says who works, with what and on what. After connection.sh. In /run only root may make files; in /run/lock anybody could,
# and lock us out.
run_note=/run/mstdn.run
# Whether this is a connection that has not ended. Of one that ended while it was looked at there is no beginning.
lives() { [ -n "${1##* }" ] && [ "$(began "${1%% *}")" = "${1##* }" ]; }
another_run_works() {
    { read -r other <"$run_note"; } 2>/dev/null || return 1
    [ -n "$other" ] && [ "$other" != "$connection" ] && [ -n "$(find "$run_note" -mmin -15 2>/dev/null)" ] && lives "$other"
}
refuse_while_another_run_works() {
    another_run_works || return 0
    # A program of the server itself, such as a backup, waits for the run to end, unless it is that very run that waits for it: then
    # its timers/follow holds this lock.
    tries=90
    while [ "${connection%% *}" -le 1 ] && [ "$tries" -gt 0 ]; do
        flock --nonblock "/run/mstdn-waiting.${other%% *}" true 2>/dev/null || return 0
        tries=$((tries - 1))
        sleep 10
        another_run_works || return 0
    done
    echo "Another run is at work on this server: $(sed -n 2p "$run_note"). Wait until it has ended, and run again." >&2
    echo "If it is known to be dead, this ends its connection: kill ${other%% *}" >&2
    exit 1
}
# A program that only looks asks whether another run works, and takes nothing: it says so with only_ask=yes.
if [ -z "${only_ask-}" ]; then
    refuse_while_another_run_works
    # Two scripts at once, or one that still works although its connection broke, wait for each other. The lock goes with the
    # process that holds it.
    exec 9>>/run/mstdn.lock
    waits_for_the_lock() {
        flock --nonblock 9 && return
        if [ "${connection%% *}" -gt 1 ]; then
            # Chores and drills may take hours, and can be done another time: they make room for whoever sits and waits.
            systemctl --no-block stop mstdn-chores.service mstdn-drill.service 2>/dev/null || true
            # What is over in a moment needs no word. The run shows such a line at once (login_shell.py).
            flock --timeout 5 9 && return
            working=$(systemctl list-units --plain --no-legend --state=activating,deactivating 'mstdn-*.service' 2>/dev/null | cut -d ' ' -f 1 | tr '\n' ' ') || working=''
            echo "mstdn:waits The server is at work by itself${working:+: ${working% }}. This goes on when that is done, or gives up after 15 minutes." >&2
        fi
        flock --timeout 900 9
    }
    if ! waits_for_the_lock; then
        echo "Another run has been changing this server for 15 minutes. Look for it with: systemctl list-units --state=activating 'mstdn-*'" >&2
        echo "or: fuser -v /run/mstdn.lock. What is a unit goes on without its run, and deploy.py waits for it." >&2
        exit 1
    fi
    refuse_while_another_run_works
    # Nobody waits for what a dead run would still do, and the run after it may want something else.
    if [ "${connection%% *}" -gt 1 ] && ! lives "$connection"; then
        echo "The connection of this run ended before it could change anything here." >&2
        exit 1
    fi
    # Without sshd it is this machine's own run, which nobody can tell from another.
    if [ -n "${run:-}" ] && [ "${connection%% *}" -gt 1 ]; then
        noted=
        { read -r noted <"$run_note"; } 2>/dev/null || true
        if [ "$noted" = "$connection" ]; then
            touch "$run_note"
        else
            printf '%s\n%s, since %s\n' "$connection" "$run" "$(date '+%Y-%m-%d %H:%M:%S %Z')" >"$run_note.new"
            mv -f "$run_note.new" "$run_note"
        fi
    fi
    # What containers read must not depend on how strict this server's root is; what is secret sets its own.
    umask 022
fi
