# Has the authority's client under the proxy's root $1 forget the certificate of the name $2: it then orders a new one the next
# time that it looks, although by its records there was nothing to renew. What nginx serves meanwhile stays.
set -eu
rm -rf "$1/acme"/*/"$2" "$1/acme"/*/"${2}_ecc"
