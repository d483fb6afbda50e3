# shellcheck disable=SC2154 # units.sh, which goes before, makes $unit
# What there is of the suite's firewall beside its rules in the kernel. $1: the rules' file, $2: the unit, $3: the note of what
# the kernel made of them. "nft" where the program is; "sum SHA256 PATH"; "note PACKED"; "systemd PROPERTY=VALUE", empty between
# two units; "uplink NAME" for interfaces that lead to the Internet and are no devices; "socket PROTOCOL ADDRESS PORT PROCESS"
# for whatever waits for somebody, with (ssh) for a program that lets people log in; "ssh PORT" of this very connection. After units.
command -v nft >/dev/null && echo nft
sha256sum -- "$1" "$2" 2>/dev/null | while read -r sum path; do printf 'sum %s %s\n' "$sum" "$path"; done
[ -f "$3" ] && { read -r note <"$3" || [ -n "$note" ]; } && printf 'note %s\n' "$note"
for name in mstdn-firewall.service ssh.socket sshd.socket; do
    find_unit "$name" || continue
    while IFS= read -r line; do
        case $line in Id=* | UnitFileState=* | ActiveState=* | NeedDaemonReload=* | Listen=*) printf 'systemd %s\n' "$line" ;; esac
    done <<END
$unit
END
    echo 'systemd '
done

awk 'FILENAME ~ /ipv6_route$/ { if ($1 ~ /^0+$/ && $2 == "00" && $10 != "lo") print $10; next }
    $2 == "00000000" && $8 == "00000000" { print $1 }' /proc/net/route /proc/net/ipv6_route 2>/dev/null |
    while read -r name; do
        # Whatever has a device leads outside anyway; a bridge or VPN does so only if it is said.
        [ -e "/sys/class/net/$name/device" ] || printf 'uplink %s\n' "$name"
    done

ss -Hltunp 2>/dev/null | awk '{
    port = $5; sub(/.*:/, "", port)
    address = $5; sub(/:[^:]*$/, "", address); gsub(/[][]/, "", address)
    if (address ~ /^(127\.|::1$|::ffff:127\.)/) next
    name = ""; pid = 0
    if (match($0, /users:\(\("[^"]*"/)) name = substr($0, RSTART + 9, RLENGTH - 10)
    if (match($0, /pid=[0-9]+/)) pid = substr($0, RSTART + 4, RLENGTH - 4)
    print $1, address, port, pid, name
}' | while read -r protocol address port pid name; do
    case $name in sshd | dropbear)
        # A port that somebody forwards through his session ("sshd: alice@pts/0") is none to log in at.
        IFS= read -r title <"/proc/$pid/cmdline" 2>/dev/null
        case $title in *@*) ;; *) name='(ssh)' ;; esac ;;
    esac
    printf 'socket %s %s %s %s\n' "$protocol" "$address" "$port" "$name"
done

# sudo does not hand SSH_CONNECTION down, but the login shell above it has it. Its last word is the server's own port, whatever a
# provider's router made of it on the way.
pid=$$
set --
while [ "${pid:-0}" -gt 1 ]; do
    set -- "$@" "/proc/$pid/environ"
    parent=
    while read -r key value; do
        case $key in PPid:) parent=$value && break ;; esac
    done <"/proc/$pid/status" 2>/dev/null
    pid=$parent
done
grep -ahzs '^SSH_CONNECTION=' "$@" | tr '\0' '\n' | if read -r _ _ _ port; then printf 'ssh %s\n' "$port"; fi
exit 0
