# Brings the certificate of the name $1 from the old proxy's directory $2 to where the new nginx looks for it, $3, in a directory whose
# name begins with $4. One that is there already stays.
set -eu
name=$1 from=$2 certs=$3 prefix=$4
[ ! -e "$certs/$name.crt" ] || exit 0
target=$certs/$prefix$name
mkdir -p "$target"
umask 077
put() {
    cat >"$target/.$1.new"
    chmod "$2" "$target/.$1.new"
    mv -fT "$target/.$1.new" "$target/$1"
}
put key.pem 0600 <"$from/$name.key"
put fullchain.pem 0644 <"$from/$name.crt"
sed '/^-----END CERTIFICATE/q' "$target/fullchain.pem" | put cert.pem 0644
link() {
    ln -sfn "./$prefix$name/$1" "$certs/.$name.new"
    mv -fT "$certs/.$name.new" "$certs/$name.$2"
}
# nginx would not start with an empty one.
if [ "$(grep -c '^-----BEGIN CERTIFICATE' "$target/fullchain.pem")" -gt 1 ]; then
    sed '1,/^-----END CERTIFICATE/d' "$target/fullchain.pem" | put chain.pem 0644
    link chain.pem chain.pem
fi
link key.pem key
link fullchain.pem crt
