# Takes the swap file $1 out of use, out of /etc/fstab, and off the disk. $2: the name by which /etc/fstab may know it.
set -eu
path=$1 new=/etc/.fstab.new
if awk -v path="$path" '$1 == path { found = 1 } END { exit !found }' /proc/swaps; then
    swapoff "$path" || {
        echo "What is in swap does not fit into memory. Stop what needs it, or reboot, and run again." >&2
        exit 1
    }
fi
if [ -e /etc/fstab ]; then
    awk -v path="$path" -v link="$2" '!(($1 == path || $1 == link) && $3 == "swap") { print }' /etc/fstab >"$new"
    chmod --reference=/etc/fstab "$new"
    cmp -s /etc/fstab "$new" || mv -fT "$new" /etc/fstab
    rm -f "$new"
fi
rm -f -- "$path" "$path.new" "$2"
