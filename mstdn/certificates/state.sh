# What there is of the certificates of the names that are the arguments after $2, under the proxy's root $1; the authority's
# client puts "$2" before the names of their directories.
# "age SECONDS": how long all who look after them have been running, nothing if one of them is not or nginx publishes nothing.
# "ordered NAME": they have been running for less than a minute, and the client has got a certificate since then.
# "configuration VERDICT" of what docker-gen wrote: gone, empty, refused or accepted. Of each name: "links NAME" if both of its links lead to a file, and
# "installed|kept|served NAME LINE" for each line that OpenSSL prints of its certificate in nginx' directory, in the client's
# own, and in what nginx serves, with "fits yes|no" (the key is its own) before them, or "unreadable" instead.
proxy=$1 prefix=$2
shift 2
list_containers
nginx=$(running proxy nginx)
inner=$(running mstdn nginx) companion=$(running proxy acme-companion) generator=$(running proxy docker-gen)
master='' started='' age=''
if [ -n "$nginx" ] && [ -n "$inner" ] && [ -n "$companion" ] && [ -n "$generator" ]; then
    found=$(docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}{{if not (index .NetworkSettings.Ports "443/tcp")}} unreached{{end}}' "$nginx" "$inner" "$companion" "$generator")
    times=$(printf '%s\n' "$found" | cut -d ' ' -f 2 | date -f - +%s.%N)
    master=${found%% *} started=$(printf '%s\n' "$times" | head -n 1)
    # An nginx that somebody took off its network publishes nothing; it is made anew before anybody looks at certificates.
    printf '%s\n' "$found" | head -n 1 | grep -q ' unreached$' ||
        age=$(printf '%s\n' "$times" | awk -v now="$(date +%s)" '$1 > last { last = $1 } END { if (NR == 4) printf "%d", now - last }')
    [ -z "$age" ] || echo "age $age"
fi

# Whether nginx has taken its configuration as it is now. It has if it was started, or has started a worker, after the newest of
# the files that it reads: after one that it refuses the old workers stay. A worker that dies is replaced without anything being
# read, so only one counts that was started soon after, as by the signal that follows a change. That comes some hundredths of a
# second after the file; whatever is imprecise here (hundredths that were cut off, the time between two looks) makes the worker
# seem earlier. The kernel counts from the boot; if the clock was set since then, the engine's time of the master's start is
# earlier, and not only later by what the engine took.
has_taken_it() {
    [ -n "$master" ] || return 1
    workers=''
    { read -r workers <"/proc/$master/task/$master/children"; } 2>/dev/null
    for process in $master $workers; do set -- "$@" "/proc/$process/stat"; done
    now=$(date +%s.%N)
    { read -r up _ <"/proc/uptime"; } 2>/dev/null || return 1
    {
        sed 's/.*) /process /' "$@"
        # acme-companion writes .companion anew in each of its rounds.
        find -H "$proxy/nginx.conf" "$proxy/conf.d" "$proxy/vhost.d" "$proxy/htpasswd" "$proxy/certs" \
            ! -name .companion -printf 'file %T@\n'
    } 2>&1 | awk -v now="$now" -v up="$up" -v engine="$started" '
        $1 == "file" { if ($2 > newest) newest = $2; next }
        $1 == "process" { start[count++] = now - up + $21 / 100; next }
        { unknown = 1 }
        END {
            early = engine < start[0] ? start[0] - engine : 0
            for (i = 0; i < count; i++) {
                after = start[i] - early - newest
                if (after > 0 && (i == 0 || after < 60)) taken = 1
            }
            exit !taken || unknown
        }'
}
file=$proxy/conf.d/default.conf
if [ ! -e "$file" ]; then
    echo 'configuration gone'
elif [ ! -s "$file" ]; then
    echo 'configuration empty'
elif [ -z "$nginx" ] || has_taken_it || verdict=$(docker exec "$nginx" nginx -t -q 2>&1); then
    echo 'configuration accepted'
# A site's own file that is gone is put back with the configuration, and read with it.
elif printf '%s' "$verdict" | grep -q 'open() "/etc/nginx/vhost.d/'; then
    echo 'configuration accepted'
else
    echo 'configuration refused'
fi

# Prints what OpenSSL says of the certificate on standard input, and whether it is that of the key $1, if one is given.
describe() {
    described=$(openssl x509 -noout -fingerprint -sha256 -dates -ext subjectAltName -pubkey 2>/dev/null)
    case $described in *'PUBLIC KEY'*) ;; *) echo unreadable && return ;; esac
    fits=yes
    if [ -n "$1" ]; then
        public=$(openssl pkey -in "$1" -pubout 2>/dev/null)
        case $described in *"${public:-no key}"*) ;; *) fits=no ;; esac
    fi
    printf 'fits %s\n%s\n' "$fits" "$described" | sed '/^-----BEGIN/,/^-----END/d'
}
told() { printf '%s\n' "$3" | sed "s/^/$1 $2 /"; }
first_of() { sed -n '/^-----BEGIN CERTIFICATE/,/^-----END CERTIFICATE/p; /^-----END CERTIFICATE/q'; }
for name; do
    [ -f "$proxy/certs/$name.crt" ] && [ -f "$proxy/certs/$name.key" ] && echo "links $name"
    installed='' first='' directory=$proxy/certs/$prefix$name
    chain=$directory/fullchain.pem key=$directory/key.pem
    if [ -e "$chain" ]; then
        installed=$(describe "$key" <"$chain") first=$(first_of <"$chain")
        told installed "$name" "$installed"
    fi
    for directory in "$proxy/acme"/*/"$name" "$proxy/acme"/*/"${name}_ecc"; do
        [ -e "$directory/fullchain.cer" ] || continue
        [ "${age:-60}" -ge 60 ] || [ $(($(date +%s) - $(stat -c %Y "$directory/fullchain.cer"))) -ge "$age" ] || echo "ordered $name"
        if [ -n "$installed" ] && cmp -s "$directory/fullchain.cer" "$chain" && cmp -s "$directory/$name.key" "$key"; then
            told kept "$name" "$installed"
        else
            told kept "$name" "$(describe "$directory/$name.key" <"$directory/fullchain.cer")"
        fi
    done
    # What is published on 0.0.0.0 is here too. Who has signed it is not looked at, so no roots are read.
    served=$(timeout 5 openssl s_client -no-CAfile -no-CApath -no-CAstore -connect 127.0.0.1:443 -servername "$name" </dev/null 2>/dev/null | first_of)
    if [ -n "$served" ] && [ "$served" = "$first" ] && [ "$installed" != unreadable ]; then
        told served "$name" "$installed"
    elif [ -n "$served" ]; then
        told served "$name" "$(printf '%s\n' "$served" | describe '')"
    fi
done
exit 0
