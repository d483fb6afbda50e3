# Puts the rules on standard input in force, and takes them back after $3 seconds unless firewall/keep comes first. $1: the file
# of the rules that were kept last. $2: the suite's table ("inet mstdn").
set -eu
kept=$1 table=$2 seconds=$3 new=$1.new
# shellcheck disable=SC2086 # the table is two words
set -- $table
mkdir -p "${kept%/*}"
cat >"$new"
if ! words=$(nft --check --file "$new" 2>&1); then
    printf '%s\n' "$words" >&2
    case $words in
        *'not supported'* | *'Operation not permitted'* | *'Protocol error'* | *'cache initialization failed'*)
            echo "This server's kernel takes no rules of nftables; on a VPS that is a container itself only its provider can" >&2
            echo "change that. Set firewall_enabled = False, and close the ports in the provider's own firewall." >&2 ;;
    esac
    rm -f "$new"
    exit 1
fi
# One of a run that was killed would take these rules back too early.
systemctl stop mstdn-firewall-undo.timer 2>/dev/null || true
systemctl reset-failed mstdn-firewall-undo.service 2>/dev/null || true
# Before the rules: a lock-out has to undo itself although nobody can get in any more.
# shellcheck disable=SC2016 # the words are for the shell of that unit
systemd-run --quiet --collect --unit=mstdn-firewall-undo --on-active="$seconds" --timer-property=AccuracySec=1s \
    --property=Type=oneshot --description='Take rules of the firewall back that nobody has shown to let him in' \
    /bin/sh -c 'if [ -s "$1" ]; then nft --file "$1"; else nft delete table $2; fi' undo "$kept" "$table"
# A kernel that has had no firewall knows no connection. For two seconds it only gets to know those that are in use, in which
# both sides have spoken; what comes in on others would be taken for something new.
first=
if ! nft list table "$@" >/dev/null 2>&1; then
    first=yes
    nft "table $table { chain arriving { type filter hook prerouting priority -150; ct state established accept; }; }"
    sleep 2
fi
if ! nft --file "$new"; then
    systemctl stop mstdn-firewall-undo.timer
    # Those that were in force before are in force still.
    [ -z "$first" ] || nft delete table "$@"
    exit 1
fi
