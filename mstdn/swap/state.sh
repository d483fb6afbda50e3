# What is known of the swap file $1: "active path KiB" for each swap in use, then the file, fstab and swappiness.
while read -r path kind size _; do
    case $kind in file | partition) printf 'active %s %s\n' "$size" "$path" ;; esac
done </proc/swaps
real=$(readlink -m -- "$1")
printf 'real %s\n' "$real"
if [ -f "$real" ]; then
    printf 'file %s\n' "$(stat -c '%s %a %u' -- "$real")"
elif [ -e "$real" ]; then
    printf 'obstacle %s\n' "$(stat -c %F -- "$real")"
fi
existing=$real
until [ -e "$existing" ]; do existing=$(dirname "$existing"); done
printf 'system %s\n' "$(stat -f -c %T -- "$existing")"
awk -v path="$1" -v real="$real" '($1 == path || $1 == real) && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab 2>/dev/null && echo fstab
printf 'swappiness %s\n' "$(cat /proc/sys/vm/swappiness)"
printf 'persisted %s\n' "$(awk '$1 == "vm.swappiness" { print $3 }' "$2" 2>/dev/null)"
exit 0
