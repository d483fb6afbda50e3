# Fetches the key at $1 to $2 if it is exactly the one key with fingerprint $3.
set -eu
url=$1 keyring=$2 expected=$3
new=${keyring%/*}/.${keyring##*/}.new
mkdir -p "${keyring%/*}"
home=$(mktemp -d)
trap 'rm -rf "$new" "$home"' EXIT
curl --fail --silent --show-error --location --retry 3 --output "$new" -- "$url"
found=$(gpg --batch --homedir "$home" --no-options --no-keyring --show-keys --with-colons -- "$new" |
    awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }' | tr '\n' ' ')
if [ "${found% }" != "$expected" ]; then
    cat >&2 <<EOF
The key at $url is not the one this suite trusts; apt was not told of it.
  expected: $expected
  found:    ${found:-no key at all}
If Docker announced a new key on docs.docker.com, set docker_key_fingerprint to it. Otherwise somebody is between this
server and Docker's: do not continue.
EOF
    exit 1
fi
chmod 0644 "$new"
mv -fT "$new" "$keyring"
