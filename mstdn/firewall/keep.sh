# Keeps the rules that firewall/try put in force, now and after each boot: somebody has come in through them. $1: their file. $2:
# the suite's table ("inet mstdn"). $3: the note of what the kernel made of them.
set -eu
kept=$1 table=$2 note=$3 new=$1.new
if ! systemctl is-active --quiet mstdn-firewall-undo.timer; then
    echo "It took so long to show that you still get in that the rules were taken back. Run again." >&2
    exit 1
fi
systemctl stop mstdn-firewall-undo.timer
# Once more, in case they were taken back in this very moment.
nft --file "$new"
mkdir -p "${note%/*}"
# shellcheck disable=SC2086 # the table is two words
nft --json --terse list table $table | gzip -n | base64 -w 0 >"$note.new"
echo >>"$note.new"
mv -fT "$note.new" "$note"
chmod 0644 "$new"
mv -fT "$new" "$kept"
systemctl enable --quiet mstdn-firewall.service
# Not restarted where it runs: that would take the rules away for a moment.
systemctl reload-or-restart mstdn-firewall.service
