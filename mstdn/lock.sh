# Goes before each script that changes something: two runs at once, or one that still works although its connection broke,
# wait for each other. The lock goes with the process that holds it. In /run only root may make files; in /run/lock
# anybody could, and lock us out.
exec 9>>/run/mstdn.lock
if ! flock --timeout 900 9; then
    echo "Another run has been changing this server for 15 minutes. Look for it with: fuser -v /run/mstdn.lock" >&2
    exit 1
fi
# And one run at a time: it holds the server from its first change until its connection ends, which is a process here, its
# sshd. A connection that died unnoticed holds it for a quarter of an hour at most. $run says who works, with what and on what.
run_note=/run/mstdn.run
connection=$$
while [ "$connection" -gt 1 ]; do
    case $(cat "/proc/$connection/comm" 2>/dev/null) in sshd*) break ;; esac
    connection=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$connection/status" 2>/dev/null)
    connection=${connection:-1}
done
if [ "$connection" -gt 1 ]; then
    # With its start time, because numbers of processes come again.
    connection="$connection $(sed 's/.*) //' "/proc/$connection/stat" | cut -d ' ' -f 20)"
    if [ -f "$run_note" ] && [ "$(sed -n 1p "$run_note")" != "$connection" ]; then
        other=$(sed -n 1p "$run_note")
        if [ "$(sed 's/.*) //' "/proc/${other%% *}/stat" 2>/dev/null | cut -d ' ' -f 20)" = "${other##* }" ] &&
            [ -n "$(find "$run_note" -mmin -15)" ]; then
            echo "Another run is at work on this server: $(sed -n 2p "$run_note"). Wait until it has ended, and run again." >&2
            echo "If it is known to be dead, this ends its connection: kill ${other%% *}" >&2
            exit 1
        fi
        rm -f "$run_note"
    fi
    if [ -f "$run_note" ]; then
        touch "$run_note"
    else
        printf '%s\n%s, since %s\n' "$connection" "${run:-somebody}" "$(date '+%Y-%m-%d %H:%M:%S %Z')" >"$run_note.new"
        mv -f "$run_note.new" "$run_note"
    fi
fi
# What containers read must not depend on how strict this server's root is; what is secret sets its own.
umask 022
