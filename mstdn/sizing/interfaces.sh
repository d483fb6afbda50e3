# Goes before the questions about the server's addresses. Those of bridges (Docker, LXD, Podman, libvirt), of containers and of
# VPNs are not its own: no visitor comes by them. What the kernel says of an interface goes before its name, and the one with the
# default route is the server's own, whatever it is: many a host of virtual machines has it on a bridge.
# $others: the names of the interfaces that do not count, each between spaces.
own=" $(awk -v ORS=' ' 'FILENAME ~ /ipv6_route$/ { if ($1 ~ /^0+$/ && $2 == "00" && $10 != "lo") print $10; next }
    $2 == "00000000" && $8 == "00000000" { print $1 }' /proc/net/route /proc/net/ipv6_route 2>/dev/null)"
others=' lo '
# Whether the kernel says that the device $1 is a tunnel.
is_wireguard() {
    while read -r line; do [ "$line" != DEVTYPE=wireguard ] || return 0; done <"$1/uevent"
    return 1
}
for device in /sys/class/net/*; do
    name=${device##*/}
    [ -d "$device/bridge" ] || [ -e "$device/tun_flags" ] || is_wireguard "$device" 2>/dev/null || case $name in
    veth* | docker[0-9]* | docker_gwbridge | br-* | virbr* | wg* | tun[0-9]* | tap[0-9]* | tailscale* | zt* | nebula*) ;;
    *) continue ;;
    esac
    case $others in *" $name "*) ;; *) others="$others$name " ;; esac
done
for name in $own; do
    # shellcheck disable=SC2034 # the scripts that follow use it
    case $others in *" $name "*) others="${others%%" $name "*} ${others#*" $name "}" ;; esac
done
