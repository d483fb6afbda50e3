# shellcheck shell=sh disable=SC2154,SC2034 # connection.sh, which goes before, makes one; the scripts that follow use the others
# Goes before scripts that watch a unit of the server at work. $1 is its name. After connection.sh.
set -eu
unit=$1
work=$(mktemp -d /run/mstdn-follow.XXXXXX)
# Whoever waits here does nothing else on the server: see lock.sh.
waiting=/run/mstdn-waiting.${connection%% *}
trap 'rm -rf "$work" "$waiting"' EXIT
exec 8>>"$waiting"
flock --shared 8
# invocation: one time that the unit works, if it is known already.
invocation=''
said() {
    journalctl --identifier "${unit%.service}" --output cat --quiet --cursor-file "$work/cursor" "$@" \
        ${invocation:+"_SYSTEMD_INVOCATION_ID=$invocation"} 2>/dev/null
}
# From here on "said" has what comes.
begin_here() {
    invocation=''
    said --lines 0 >/dev/null || true
}
# The same for a unit at work, of which the last lines are told.
begin_in_the_middle() {
    invocation=$(systemctl show --property InvocationID --value "$unit")
    said --lines 20 || true
}
state() { systemctl show --property ActiveState --value "$unit"; }
is_at_work() { case $(state) in activating | active | deactivating) ;; *) return 1 ;; esac; }
# Tells what the unit says for as long as the process $1 lives. Where the connection is lost nobody reads, and this ends.
tell_while() {
    while kill -0 "$1" 2>/dev/null; do
        [ "${connection%% *}" -le 1 ] || [ -d "/proc/${connection%% *}" ] || {
            # It only waits as well.
            kill "$1"
            exit 1
        }
        said || true
        sleep 1
    done
}
tell_the_rest() {
    journalctl --sync 2>/dev/null || true
    said || true
}
wait_for_its_end() {
    while is_at_work; do sleep 1; done &
    tell_while $!
    tell_the_rest
}
