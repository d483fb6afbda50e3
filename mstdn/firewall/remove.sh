# Takes the suite's firewall away. $1: the suite's table ("inet mstdn"); the other arguments are its files, the unit among them.
set -eu
table=$1
shift
systemctl stop mstdn-firewall-undo.timer 2>/dev/null || true
systemctl disable --quiet --now mstdn-firewall.service 2>/dev/null || true
# shellcheck disable=SC2086 # the table is two words
if command -v nft >/dev/null && nft list table $table >/dev/null 2>&1; then
    nft delete table $table
fi
# The unit last of all: as long as it is there, the next run sees that something is left.
for file in "$@"; do rm -f -- "$file"; done
systemctl daemon-reload
