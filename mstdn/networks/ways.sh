# What the kernel's firewall has for the networks that are the arguments: "network NAME BRIDGE SUBNET", "rule TEXT" for each rule
# that names one of their bridges or subnets or leads to Docker's own, "forwarding 0|1", "unmanaged" where Docker was told to
# leave the firewall to somebody else.
found=$(docker network inspect --format 'network {{.Name}} {{with index .Options "com.docker.network.bridge.name"}}{{.}}{{else}}br-{{printf "%.12s" .Id}}{{end}}{{range .IPAM.Config}} {{.Subnet}}{{end}}' "$@" 2>/dev/null)
printf '%s\n' "$found" | grep '^network '
printf 'forwarding %s\n' "$(cat /proc/sys/net/ipv4/ip_forward)"
pid=$(systemctl show --property MainPID --value docker.service)
if grep -Eqs '"iptables"[[:space:]]*:[[:space:]]*false' /etc/docker/daemon.json ||
    { [ "${pid:-0}" != 0 ] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qx -- '--iptables=false'; }; then
    echo unmanaged
fi
# Either of Docker's ways to write its rules; the names in the second stand in quotes.
{
    iptables-save 2>/dev/null
    command -v nft >/dev/null && nft list table ip docker-bridges 2>/dev/null
} | grep -E 'br-[0-9a-f]{12}|DOCKER-USER|DOCKER-FORWARD|DOCKER-ISOLATION-STAGE-1|masquerade|MASQUERADE' | sed 's/^[[:space:]]*/rule /'
exit 0
