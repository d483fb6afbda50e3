# Asks the server's own name servers: the arguments are messages for the DNS as they go over TCP, in hexadecimal. "answer NUMBER
# HEX" for each, as it comes back without its length. Debian and Ubuntu have no program for TXT records by themselves.
command -v bash >/dev/null || { echo 'unknown there is no bash on the server' && exit 0; }
# shellcheck disable=SC2013 # words, one for each server
for server in $(awk '$1 == "nameserver" { print $2 }' /etc/resolv.conf); do
    # shellcheck disable=SC2016 # that is for bash, which knows TCP
    answers=$(timeout 15 bash -c 'server=$1 number=0
        shift
        for message; do
            exec 3<>"/dev/tcp/$server/53" || exit 1
            printf "$(printf %s "$message" | sed "s/../\\\\x&/g")" >&3
            size=$(head -c 2 <&3 | od -An -tu1 | awk "{ print \$1 * 256 + \$2 }")
            [ "${size:-0}" -gt 0 ] || exit 1
            printf "answer %s %s\n" "$number" "$(head -c "$size" <&3 | od -An -v -tx1 | tr -d " \n")"
            exec 3>&-
            number=$((number + 1))
        done' bash "$server" "$@" 2>/dev/null) || continue
    printf '%s\n' "$answers"
    exit 0
done
echo 'unknown no name server of /etc/resolv.conf answers over TCP'
