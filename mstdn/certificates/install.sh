# Puts the certificate of the name $3 that the authority's client keeps back to where nginx looks for it, under the proxy's
# root $1, in a directory whose name begins with $2. The newest, if the client has had keys of two kinds.
set -eu
newest=
for directory in "$1/acme"/*/"$3" "$1/acme"/*/"${3}_ecc"; do
    [ -s "$directory/fullchain.cer" ] || continue
    if [ -z "$newest" ] || [ "$directory/fullchain.cer" -nt "$newest/fullchain.cer" ]; then newest=$directory; fi
done
target=$1/certs/$2$3
mkdir -p "$target"
umask 077
put() {
    cp -f "$newest/$1" "$target/.$2.new"
    chmod "$3" "$target/.$2.new"
    mv -fT "$target/.$2.new" "$target/$2"
}
put "$3.key" key.pem 0600
put "$3.cer" cert.pem 0644
put ca.cer chain.pem 0644
put fullchain.cer fullchain.pem 0644
