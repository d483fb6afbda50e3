# What a server is and stays: memory in KiB, and whether it has a global IPv6 address.
addresses=/proc/net/if_inet6
[ -e "$addresses" ] || addresses=/dev/null
# shellcheck disable=SC2154 # interfaces.sh
awk -v others="$others" '
    $1 == "MemTotal:" { print "memory " $2 }
    NF == 6 && $4 == "00" && !index(others, " " $6 " ") { found = 1 }
    END { if (found) print "ipv6" }' /proc/meminfo "$addresses"
exit 0
