# shellcheck disable=SC2154 # connection.sh, which goes before, makes it
# Starts the unit $1 and tells what it says until it ends, with its exit code; one that is at work already is joined. The work is
# systemd's: whoever loses the connection here takes nothing of it away. $2: what it does, for people. A unit that is not installed is
# made from the program on standard input; then $3 is the command that systemd runs once it has ended, in whatever way, and the rest
# are the program's arguments. After connection.sh.
set -eu
unit=$1 what=$2
shift 2
work=$(mktemp -d /run/mstdn-follow.XXXXXX)
# Whoever waits here does nothing else on the server: see lock.sh.
waiting=/run/mstdn-waiting.${connection%% *}
trap 'rm -rf "$work" "$waiting"' EXIT
exec 8>>"$waiting"
flock --shared 8
tell() { journalctl --identifier "${unit%.service}" --output cat --quiet --cursor-file "$work/cursor" 2>/dev/null; }
state() { systemctl show --property ActiveState --value "$unit"; }
joined=
case $(state) in
activating | active)
    joined=yes
    echo "$what is at work already, and goes on whatever happens here: watching it."
    journalctl --identifier "${unit%.service}" --output cat --quiet --lines 5 --cursor-file "$work/cursor" 2>/dev/null || true
    ;;
*)
    journalctl --identifier "${unit%.service}" --output cat --quiet --lines 0 --cursor-file "$work/cursor" >/dev/null 2>&1 || true
    # Without an earlier line of the unit there is no place to begin at, and all are new.
    ;;
esac
if [ $# -eq 0 ]; then
    # Two starts at once are one start for systemd, and each waits for its end.
    systemctl start "$unit" 2>/dev/null &
elif [ -n "$joined" ]; then
    {
        while [ "$(state)" = activating ]; do sleep 1; done
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
    # When the server goes down it ends before the engine does, and can still put things in order.
    systemd-run --quiet --unit="$unit" --description="$what" --property=Type=oneshot --property="SyslogIdentifier=${unit%.service}" \
        --property=UMask=0077 --property=After=docker.service --property="ExecStopPost=$afterwards" /bin/sh "$program" "$@" 2>/dev/null &
fi
start=$!
while kill -0 "$start" 2>/dev/null; do
    tell || true
    sleep 1
done
ended=0
wait "$start" || ended=$?
journalctl --sync 2>/dev/null || true
tell || true
[ "$ended" = 0 ] || {
    echo "$what failed: the lines above say why. All of them: journalctl --unit $unit" >&2
    exit 1
}
