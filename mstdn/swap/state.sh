# What is known of the swap file $1: "active path KiB" for each swap in use, then the file, fstab and swappiness.
real=$(readlink -m -- "$1")
printf 'real %s\n' "$real"
in_use='' in_fstab=''
while read -r path kind size _; do
    [ "$path" != "$real" ] || in_use=yes
    case $kind in file | partition) printf 'active %s %s\n' "$size" "$path" ;; esac
done </proc/swaps
awk -v path="$1" -v real="$real" '($1 == path || $1 == real) && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab 2>/dev/null &&
    in_fstab=yes && echo fstab
# mkswap leaves its mark at the end of the first page, of which a few kernels have larger ones.
is_swap() {
    for end in 4096 16384 65536; do
        case $(head -c "$end" -- "$1" | tail -c 10 | tr -d '\0') in SWAPSPACE2 | SWAP-SPACE) return 0 ;; esac
    done
    return 1
}
if [ -f "$real" ]; then
    printf 'file %s\n' "$(stat -c '%s %a %u' -- "$real")"
    # What nobody uses as swap or has called swap may be anything of somebody's.
    [ -n "$in_use$in_fstab" ] || [ ! -s "$real" ] || is_swap "$real" || echo foreign
elif [ -e "$real" ]; then
    printf 'obstacle %s\n' "$(stat -c %F -- "$real")"
fi
existing=$real
until [ -e "$existing" ]; do existing=$(dirname "$existing"); done
printf 'system %s\n' "$(stat -f -c %T -- "$existing")"
printf 'swappiness %s\n' "$(cat /proc/sys/vm/swappiness)"
printf 'persisted %s\n' "$(awk '$1 == "vm.swappiness" { print $3 }' "$2" 2>/dev/null)"
exit 0
