# shellcheck disable=SC2154 # connection.sh, which goes before, makes it
# Starts the unit $1 and tells what it says until it ends, with its exit code; one that is at work already is joined. The work is
# systemd's: whoever loses the connection here takes nothing of it away. $2: what it does, for people. After connection.sh.
set -eu
unit=$1 what=$2
work=$(mktemp -d /run/mstdn-follow.XXXXXX)
# Whoever waits here does nothing else on the server: see lock.sh.
waiting=/run/mstdn-waiting.${connection%% *}
trap 'rm -rf "$work" "$waiting"' EXIT
exec 8>>"$waiting"
flock --shared 8
tell() { journalctl --identifier "${unit%.service}" --output cat --quiet --cursor-file "$work/cursor" 2>/dev/null; }
case $(systemctl show --property ActiveState --value "$unit") in
activating | active)
    echo "$what is at work already, and goes on whatever happens here: watching it."
    journalctl --identifier "${unit%.service}" --output cat --quiet --lines 5 --cursor-file "$work/cursor" 2>/dev/null || true
    ;;
*)
    journalctl --identifier "${unit%.service}" --output cat --quiet --lines 0 --cursor-file "$work/cursor" >/dev/null 2>&1 || true
    # Without an earlier line of the unit there is no place to begin at, and all are new.
    ;;
esac
# Two starts at once are one start for systemd, and each waits for its end.
systemctl start "$unit" 2>/dev/null &
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
