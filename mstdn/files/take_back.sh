# Gives all that lies in the directory $1 to its owner $2 (UID:GID), with the rights $3 (octal) at least; directories can be
# entered by whoever may read them. What belongs to its file system stays (strangers.sh).
set -eu
directory=$1 owner=$2 rights=$3
case $rights in *[4-7]) changes=u+rwX,go+rX ;; *) changes=u+rwX ;; esac
find -H "$directory" -mindepth 1 '(' -path "$directory/.*" -o -name lost+found ')' -prune -o '(' ! -uid "${owner%:*}" -o ! -gid "${owner#*:}" ')' -exec chown -h "$owner" '{}' +
find -H "$directory" -mindepth 1 '(' -path "$directory/.*" -o -name lost+found ')' -prune -o ! -type l ! -perm "-$rights" -exec chmod "$changes" '{}' +
