# Writes standard input to $1 with owner $2 and mode $3: beside the target, then renamed, so that no reader ever sees half.
set -eu
path=$1 owner=$2 mode=$3
new="${path%/*}/.${path##*/}.new"
umask 077
cat >"$new"
chown "$owner" "$new"
chmod "$mode" "$new"
# Docker makes an empty directory where a file that it was to mount is missing. One that holds something stays, and is named.
[ ! -d "$path" ] || [ -L "$path" ] || rmdir -- "$path"
mv -fT "$new" "$path"
