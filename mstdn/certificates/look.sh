# Has acme-companion look at all certificates now, and waits until each of the names after $2 has one, but not for long: what
# does not come by then, verify tells. $1 is the proxy's root, $2 as in state.sh.
set -eu
proxy=$1 prefix=$2
shift 2
companion=$(container_of proxy acme-companion)
[ -n "$companion" ] || exit 0
end=$(($(date +%s) + 60))
# Asked while it is at work, it starts a second round beside the first: two orders, and nonces that are not valid any more.
# Read from /proc in there: "docker top" calls the server's ps, which a minimal server lacks.
while [ "$(date +%s)" -lt "$end" ] &&
    docker exec "$companion" sh -c 'cat /proc/[0-9]*/cmdline' 2>/dev/null | tr '\0' ' ' | grep -q 'acme\.sh'; do
    sleep 0.5
done
docker exec "$companion" /app/signal_le_service >/dev/null 2>&1
is_there() {
    [ -f "$proxy/certs/$1.crt" ] && [ -f "$proxy/certs/$1.key" ] || return 1
    # The client keeps one again where it had to forget one.
    set -- "$1" "$proxy/acme"/*/"$1"/fullchain.cer "$proxy/acme"/*/"${1}_ecc"/fullchain.cer
    { [ -s "$2" ] || [ -s "$3" ]; } &&
        openssl x509 -noout -checkend 0 -in "$proxy/certs/$prefix$1/fullchain.pem" >/dev/null 2>&1
}
end=$(($(date +%s) + 60))
for name; do
    until is_there "$name" || [ "$(date +%s)" -ge "$end" ]; do sleep 0.5; done
done
