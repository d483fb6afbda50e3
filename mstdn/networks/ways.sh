# What the kernel's firewall has for the networks that are the arguments: "network NAME BRIDGE SUBNET…"; "rule FAMILY PLACE TEXT"
# for each rule that names one of their bridges, leads to Docker's own or leads a port to a container; "forwarding 0|1";
# "unmanaged FAMILY" where Docker was told to leave the firewall to somebody else. FAMILY is 4 or 6; PLACE is the table of an
# iptables rule, and the chain or map of one of nftables, whose name begins with what the table would be.
found=$(bridges "$@")
[ -z "$found" ] || printf '%s\n' "$found"
read -r forwarding </proc/sys/net/ipv4/ip_forward
printf 'forwarding %s\n' "$forwarding"
# docker/found.sh has asked for it already, in a batch.
pid=''
for word in ${engine-}; do
    case $word in *[!0-9]*) ;; *) pid=$word ;; esac
done
: "${pid:=$(systemctl show --property MainPID --value docker.service)}"
flags=$([ "${pid:-0}" = 0 ] || tr '\0' ' ' <"/proc/$pid/cmdline")
configured=$([ ! -f /etc/docker/daemon.json ] || tr -d '[:space:]' </etc/docker/daemon.json)
told_not_to() { case "$configured $flags " in *"\"$1\":false"* | *" --$1=false "*) ;; *) return 1 ;; esac; }
told_not_to iptables && echo unmanaged 4
told_not_to ip6tables && echo unmanaged 6
# What leads to Docker's chains names no bridge, nor does the rule for a port where docker-proxy takes no part.
patterns='-j DOCKER
DNAT
dnat to
jump nat-prerouting-and-output
vmap @'
while read -r _ _ bridge _; do patterns="$patterns
$bridge"; done <<END
$found
END
rules() {
    {
        "$2-save" 2>/dev/null
        # Its names stand in quotes.
        command -v nft >/dev/null && nft list table "$3" docker-bridges 2>/dev/null
    } | awk -v family="$1" '
        /^\*/ { place = substr($1, 2) }
        $1 == "chain" || $1 == "map" { place = $2; next }
        { sub(/^[ \t]+/, ""); print "rule", family, place, $0 }' | grep -F -- "$patterns"
}
if [ -n "$found" ]; then
    rules 4 iptables ip
    case $found in *:*) rules 6 ip6tables ip6 ;; esac
fi
exit 0
