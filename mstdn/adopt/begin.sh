# Notes in $1 that a take-over has begun: standard input, lines "key value". Then brings the keys of the old instance, whose web is the
# container $3, into the new file $2: those whose names are the other arguments. A file that is there already is left as it is.
set -eu
umask 077
note=$1 file=$2 web=$3
shift 3
mkdir -p "${note%/*}"
chmod 0755 "${note%/*}"
cat >"$note.new"
chmod 0644 "$note.new"
sync "$note.new"
mv -fT "$note.new" "$note"
# Of an earlier one, which went back.
rm -f "${note%/*}/go-back"
[ ! -s "$file" ] || exit 0
told=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$web")
for name; do
    line=$(printf '%s\n' "$told" | sed -n "/^$name=./{p;q;}")
    [ -n "$line" ] || {
        echo "The old web has no $name any more. Nothing was changed but the note $note: look at its .env.production, and run again." >&2
        exit 1
    }
    printf '%s\n' "$line"
done >"$file.new"
echo '# complete' >>"$file.new"
chown 0:0 "$file.new"
sync "$file.new"
mv -fT "$file.new" "$file"
