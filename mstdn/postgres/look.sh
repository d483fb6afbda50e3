# What a move of the database would meet. $1: mastodon_root, $2: the note of a move that is under way, $3: the unit that moves it.
# "database VERSION" of its data directory; "real PATH" without links, "mounted" if something is mounted there, "tablespace NAME"
# of each; "before VERSION KIB" of the directory that was kept aside; "under KEY VALUE" of the note; "working" while the unit
# works. With "size" as $4 also "size KIB" and "free KIB", which takes a moment on a large one.
root=$1 note=$2 unit=$3
data=$(readlink -m -- "$root/database")
printf 'real %s\n' "$data"
[ -s "$data/PG_VERSION" ] && printf 'database %s\n' "$(cat "$data/PG_VERSION")"
mountpoint -q "$data" 2>/dev/null && echo mounted
for path in "$data"/pg_tblspc/*; do
    [ ! -e "$path" ] || printf 'tablespace %s\n' "${path##*/}"
done
[ -d "$data.before" ] && printf 'before %s %s\n' "$(cat "$data.before/PG_VERSION" 2>/dev/null || echo 0)" "$(du -sk "$data.before" | cut -f 1)"
[ -f "$note" ] && awk '{ print "under " $0 }' "$note"
[ "$(systemctl show --property ActiveState --value "$unit" 2>/dev/null)" = activating ] && echo working
if [ "${4:-}" = size ] && [ -d "$data" ]; then
    printf 'size %s\n' "$(du -sk "$data" 2>/dev/null | cut -f 1)"
    # Free counts what a move that was cut off has left, because that is removed before the next one begins.
    left=$({ du -sk "$data.new" "$data.dumps" 2>/dev/null || true; } | awk '{ kib += $1 } END { print kib + 0 }')
    printf 'free %s\n' "$(($(df -Pk "${data%/*}" | awk 'NR == 2 { print $4 }') + left))"
fi
exit 0
