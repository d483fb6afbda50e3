# What is known of the swap file $1: "active path KiB" for each swap in use, then the file, fstab and swappiness.
while read -r path kind size _; do
    case $kind in file | partition) printf 'active %s %s\n' "$size" "$path" ;; esac
done </proc/swaps
if [ -f "$1" ]; then
    printf 'file %s\n' "$(stat -c '%s %a %u' -- "$1")"
fi
awk -v path="$1" '$1 == path && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab 2>/dev/null && echo fstab
printf 'swappiness %s\n' "$(cat /proc/sys/vm/swappiness)"
printf 'persisted %s\n' "$(awk '$1 == "vm.swappiness" { print $3 }' "$2" 2>/dev/null)"
exit 0
