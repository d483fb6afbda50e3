# Notes the checksum of each file that containers of the project in $1 mount; the other arguments are the files.
set -eu
note=$1/state/mounted
shift
umask 077
: >"$note.new"
for path in "$@"; do
    [ ! -f "$path" ] || sha256sum -- "$path" >>"$note.new"
done
mv -fT "$note.new" "$note"
