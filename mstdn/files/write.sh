# Writes standard input to $1 with owner $2 and mode $3: beside the target, then renamed, so that no reader ever sees half.
set -eu
path=$1 owner=$2 mode=$3
new="${path%/*}/.${path##*/}.new"
umask 077
cat >"$new"
chown "$owner" "$new"
chmod "$mode" "$new"
mv -fT "$new" "$path"
