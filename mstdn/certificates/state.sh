# What there is of the certificates of the names that are the arguments after $2, under the proxy's root $1; the authority's
# client puts "$2" before the names of their directories.
# "age SECONDS": how long all who look after them have been running, nothing if one of them is not. "configuration VERDICT" of
# what docker-gen wrote: gone, empty, refused or accepted. Of each name: "links NAME" if both of its links lead to a file, and
# "installed|kept|served NAME WORDS" of its certificate in nginx' directory, in the client's own, and in what nginx serves:
# "sum", "fits" (the key is its own), "begin" and "end" (seconds since the epoch), "names".
proxy=$1 prefix=$2
shift 2
container() {
    docker ps --quiet --filter status=running --filter "label=com.docker.compose.project=$1" \
        --filter label=com.docker.compose.oneoff=False --filter "label=com.docker.compose.service=$2"
}
nginx=$(container proxy nginx)
inner=$(container mstdn nginx) companion=$(container proxy acme-companion) generator=$(container proxy docker-gen)
if [ -n "$nginx" ] && [ -n "$inner" ] && [ -n "$companion" ] && [ -n "$generator" ]; then
    now=$(date +%s)
    docker inspect --format '{{.State.StartedAt}}' "$nginx" "$inner" "$companion" "$generator" |
        while read -r started; do echo "$((now - $(date -d "$started" +%s)))"; done | sort -n | sed -n '1s/^/age /p'
fi

file=$proxy/conf.d/default.conf
if [ ! -e "$file" ]; then
    echo 'configuration gone'
elif [ ! -s "$file" ]; then
    echo 'configuration empty'
elif [ -z "$nginx" ] || verdict=$(docker exec "$nginx" nginx -t -q 2>&1); then
    echo 'configuration accepted'
# A site's own file that is gone is put back with the configuration, and read with it.
elif printf '%s' "$verdict" | grep -q 'open() "/etc/nginx/vhost.d/'; then
    echo 'configuration accepted'
else
    echo 'configuration refused'
fi

# Of the certificate on standard input, for the name $2, with the key $3 if one is given. $1 says where it was found.
describe() {
    text=$(openssl x509 2>/dev/null) || { [ "$1" = served ] || echo "$1 $2 unreadable"; return; }
    x509() { printf '%s\n' "$text" | openssl x509 -noout "$@" 2>/dev/null; }
    fits=yes
    [ -z "$3" ] || [ "$(x509 -pubkey)" = "$(openssl pkey -in "$3" -pubout 2>/dev/null)" ] || fits=no
    dates=$(x509 -dates)
    printf '%s %s %s %s %s %s %s\n' "$1" "$2" "$(x509 -fingerprint -sha256 | sed 's/.*=//; s/://g')" "$fits" \
        "$(date -d "$(printf '%s\n' "$dates" | sed -n 's/^notBefore=//p')" +%s)" \
        "$(date -d "$(printf '%s\n' "$dates" | sed -n 's/^notAfter=//p')" +%s)" \
        "$(x509 -ext subjectAltName | grep -o 'DNS:[^,[:space:]]*' | sed 's/^DNS://' | tr '\n' ',')"
}
for name; do
    [ -f "$proxy/certs/$name.crt" ] && [ -f "$proxy/certs/$name.key" ] && echo "links $name"
    directory=$proxy/certs/$prefix$name
    [ -e "$directory/fullchain.pem" ] && describe installed "$name" "$directory/key.pem" <"$directory/fullchain.pem"
    for directory in "$proxy/acme"/*/"$name" "$proxy/acme"/*/"${name}_ecc"; do
        [ -e "$directory/fullchain.cer" ] && describe kept "$name" "$directory/$name.key" <"$directory/fullchain.cer"
    done
    # What is published on 0.0.0.0 is here too.
    timeout 5 openssl s_client -connect 127.0.0.1:443 -servername "$name" </dev/null 2>/dev/null | describe served "$name" ''
done
exit 0
