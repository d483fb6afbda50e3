# shellcheck disable=SC2154 # engine.sh, which goes before, makes $described
# What there is of the certificates of the names that are the arguments after $2, under the proxy's root $1; the authority's
# client puts "$2" before the names of their directories.
# "age SECONDS": how long all who look after them have been running, nothing if one of them is not or nginx publishes nothing.
# "ordered NAME": they have been running for less than a minute, and the client has got a certificate since then.
# "configuration VERDICT" of what docker-gen wrote: gone, empty, refused or accepted. Of each name: "links NAME" if both of its links lead to a file, and
# "installed|kept|served NAME LINE" for each line that OpenSSL prints of its certificate in nginx' directory, in the client's
# own, and in what nginx serves, with "fits yes|no" (the key is its own) before them, or "unreadable" instead.
proxy=$1 prefix=$2
shift 2
line_end='
'
describe_containers
nginx=$(running proxy nginx)
inner=$(running mstdn nginx) companion=$(running proxy acme-companion) generator=$(running proxy docker-gen)
# The time of day and that since the boot, at one moment: the kernel counts from the boot.
now=$(date +%s.%N) up=''
{ read -r up _ </proc/uptime; } 2>/dev/null
# When these four were started, nginx first.
master='' published='' starts=''
while read -r id process start ports _; do
    case $id in
    '') ;;
    "$nginx") master=$process published=$ports starts=$start${starts:+$line_end$starts} ;;
    "$inner" | "$companion" | "$generator") starts=${starts:+$starts$line_end}$start ;;
    esac
done <<END
$described
END
started='' count=0 last=0
[ -z "$master" ] || for time in $(printf '%s\n' "$starts" | date -f - +%s.%N 2>/dev/null); do
    count=$((count + 1)) started=${started:-$time}
    [ "${time%.*}" -le "$last" ] || last=${time%.*}
done
# An nginx that somebody took off its network publishes nothing; it is made anew before anybody looks at certificates.
case $count,$published in 4,*443/tcp,*) age=$((${now%.*} - last)) && echo "age $age" ;; *) age='' ;; esac

# Whether nginx has taken its configuration as it is now. It has if it was started, or has started a worker, after the newest of
# the files that it reads: after one that it refuses the old workers stay. A worker that dies is replaced without anything being
# read, so only one counts that was started soon after, as by the signal that follows a change. That comes some hundredths of a
# second after the file; whatever is imprecise here (hundredths that were cut off, the time between two looks) makes the worker
# seem earlier. The kernel counts from the boot; if the clock was set since then, the engine's time of the master's start is
# earlier, and not only later by what the engine took.
has_taken_it() {
    [ -n "$master" ] && [ -n "$up" ] || return 1
    workers=''
    { read -r workers <"/proc/$master/task/$master/children"; } 2>/dev/null
    set -- "/proc/$master/stat"
    for process in $workers; do set -- "$@" "/proc/$process/stat"; done
    # acme-companion writes .companion anew in each of its rounds. A process that has ended meanwhile ends awk, and it counts as not.
    find -H "$proxy/nginx.conf" "$proxy/conf.d" "$proxy/vhost.d" "$proxy/htpasswd" "$proxy/certs" ! -name .companion -printf 'file %T@\n' 2>&1 |
        awk -v now="$now" -v up="$up" -v engine="$started" '
            $1 == "file" { if ($2 > newest) newest = $2; next }
            /^[0-9]+ \(/ { sub(/.*\) /, ""); start[count++] = now - up + $20 / 100; next }
            { unknown = 1 }
            END {
                early = engine < start[0] ? start[0] - engine : 0
                for (i = 0; i < count; i++) {
                    after = start[i] - early - newest
                    if (after > 0 && (i == 0 || after < 60)) taken = 1
                }
                exit !taken || unknown
            }' - "$@" 2>/dev/null
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

# Prints what OpenSSL says of the certificate $1, and whether it is that of the key in the file $2, if one is given.
describe_certificate() {
    text=$(printf '%s\n' "$1" | openssl x509 -noout -fingerprint -sha256 -dates -ext subjectAltName -pubkey 2>/dev/null)
    case $text in *'PUBLIC KEY'*) ;; *) echo unreadable && return ;; esac
    fits=yes
    if [ -n "$2" ]; then
        public=$(openssl pkey -in "$2" -pubout 2>/dev/null)
        case $text in *"${public:-no key}"*) ;; *) fits=no ;; esac
    fi
    printf 'fits %s\n%s\n%s\n' "$fits" "${text%%-----BEGIN*}" "${text##*KEY-----}"
}
# Prints the lines of $3 that are not empty, with "$1 $2" before each.
told() {
    while IFS= read -r line; do [ -z "$line" ] || printf '%s %s %s\n' "$1" "$2" "$line"; done <<END
$3
END
}
# Puts the first certificate of the text $1 into $first; "" without one.
take_first() {
    first=${1#*-----BEGIN CERTIFICATE-----}
    [ "$first" != "$1" ] || first=''
    first=${first%%-----END CERTIFICATE-----*}
}
for name; do
    [ -f "$proxy/certs/$name.crt" ] && [ -f "$proxy/certs/$name.key" ] && echo "links $name"
    installed='' chain='' key=$proxy/certs/$prefix$name/key.pem
    file=$proxy/certs/$prefix$name/fullchain.pem
    if [ -e "$file" ]; then
        chain=$(cat "$file" 2>/dev/null)
        installed=$(describe_certificate "$chain" "$key")
        told installed "$name" "$installed"
    fi
    for directory in "$proxy/acme"/*/"$name" "$proxy/acme"/*/"${name}_ecc"; do
        [ -e "$directory/fullchain.cer" ] || continue
        [ "${age:-60}" -ge 60 ] || [ $(($(date +%s) - $(stat -c %Y "$directory/fullchain.cer"))) -ge "$age" ] || echo "ordered $name"
        if [ -n "$installed" ] && cmp -s "$directory/fullchain.cer" "$file" && cmp -s "$directory/$name.key" "$key"; then
            told kept "$name" "$installed"
        else
            told kept "$name" "$(describe_certificate "$(cat "$directory/fullchain.cer" 2>/dev/null)" "$directory/$name.key")"
        fi
    done
    # What is published on 0.0.0.0 is here too. Who has signed it is not looked at, so no roots are read.
    served=$(timeout 5 openssl s_client -no-CAfile -no-CApath -no-CAstore -connect 127.0.0.1:443 -servername "$name" </dev/null 2>/dev/null)
    take_first "$chain"
    installed_first=$first
    take_first "$served"
    if [ -n "$first" ] && [ "$first" = "$installed_first" ] && [ "$installed" != unreadable ]; then
        told served "$name" "$installed"
    elif [ -n "$first" ]; then
        told served "$name" "$(describe_certificate "$served" '')"
    fi
done
exit 0
