# What a server is and stays: memory in KiB, and whether it has a global IPv6 address.
awk '$1 == "MemTotal:" { print "memory " $2 }' /proc/meminfo
# shellcheck disable=SC2154 # interfaces.sh
awk -v others="$others" '$4 == "00" && !index(others, " " $6 " ") { found = 1 } END { if (found) print "ipv6" }' /proc/net/if_inet6 2>/dev/null
exit 0
