# "now VALUE" of the kernel's setting $1 ("vm.overcommit_memory"), and "after VALUE" that the file $2 will give it after a reboot.
# Not sysctl(8): a minimal server may lack procps.
printf 'now %s\n' "$(cat "/proc/sys/$(printf '%s' "$1" | tr . /)" 2>/dev/null)"
printf 'after %s\n' "$(awk -v name="$1" '$1 == name { print $3 }' "$2" 2>/dev/null)"
exit 0
