# shellcheck disable=SC2154 # watch.sh, which goes before, makes them
# Starts the unit $1 and tells what it says until it ends, with its exit code; one that is at work already is joined. The work is
# systemd's: whoever loses the connection here takes nothing of it away. $2: what it does, for people. A unit that is not installed is
# made from the program on standard input; then $3 is the command that systemd runs once it has ended, in whatever way, and the rest
# are the program's arguments. Where such a unit does something else at the moment, that comes to its end first. After watch.sh.
what=$2
shift 2
# passing: the unit is not installed.
joined='' passing=${1+yes}
# In no journal there would be a word of it.
if [ $# -eq 0 ] && [ "$(systemctl show --property LoadState --value "$unit")" = not-found ]; then
    echo "$what is not installed on this server yet ($unit). Deploy first: pyinfra inventory.py deploy.py" >&2
    exit 1
fi
if is_at_work; then
    working_on=$what
    [ $# -eq 0 ] || working_on=$(systemctl show --property Description --value "$unit")
    if [ "$working_on" = "$what" ]; then
        joined=yes
        echo "$what is at work already, and goes on whatever happens here: watching it."
        begin_in_the_middle
    else
        echo "$working_on is at work, and comes to its end first."
        begin_in_the_middle
        wait_for_its_end
    fi
fi
[ -n "$joined" ] || {
    echo "$what goes on whatever happens here; Ctrl-C ends the watching only. To watch it again: the same command, or on the server: journalctl --follow --unit $unit"
    # Without an earlier line of the unit there is no place to begin at, and all are new.
    begin_here
}
if [ $# -eq 0 ]; then
    # One that gives up at once, tried a few times in a row, is not refused a start.
    systemctl reset-failed "$unit" 2>/dev/null || true
    # Two starts at once are one start for systemd, and each waits for its end.
    systemctl start "$unit" 2>/dev/null &
elif [ -n "$joined" ]; then
    {
        while is_at_work; do sleep 1; done
        [ "$(state)" != failed ]
    } &
else
    # In /run only root may make files, and a program that runs already has its own.
    program=/run/${unit%.service}.program
    cat >"$program.new"
    mv -fT "$program.new" "$program"
    afterwards=$1
    shift
    systemctl reset-failed "$unit" 2>/dev/null || true
    # systemd takes a moment to forget one that has ended, and makes no other of that name until then.
    tries=50
    while [ -e "/run/systemd/transient/$unit" ] && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    # When the server goes down it ends before the engine does, and can still put things in order.
    systemd-run --quiet --unit="$unit" --description="$what" --property=Type=oneshot --property="SyslogIdentifier=${unit%.service}" \
        --property=UMask=0077 --property=After=docker.service --property="ExecStopPost=$afterwards" /bin/sh "$program" "$@" 2>"$work/refused" &
fi
start=$!
tell_while "$start"
ended=0
wait "$start" || ended=$?
# Of a unit that is ended from outside the start has failed at once; what became of it, it says when it has put things in order.
[ "$ended" = 0 ] || wait_for_its_end
tell_the_rest
[ "$ended" = 0 ] || {
    # That a unit was not even made is in no journal.
    [ ! -e "$work/refused" ] || grep -v -e '^Job for ' -e '^See ' "$work/refused" >&2 || true
    # Of one that somebody has watched nobody needs to be told any more.
    [ -z "$passing" ] || systemctl reset-failed "$unit" 2>/dev/null || true
    echo "$what failed: the lines above say why. All of them: journalctl --unit $unit" >&2
    exit 1
}
