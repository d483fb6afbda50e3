# Makes the directory $1 with owner $2 and mode $3; nobody else sees into it in the meantime.
set -eu
umask 077
mkdir -p -- "$1"
chown "$2" "$1"
chmod "$3" "$1"
