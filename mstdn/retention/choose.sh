# Has Mastodon run the program on standard input, which chooses how long content is kept, with the arguments after $2. $1: the
# directory of its project, $2: the note of what was chosen. In a container of its own, because that of web has memory for web only.
set -eu
cd "$1"
note=$2
shift 2
told=$(docker compose --progress quiet run --rm --no-deps -T --quiet-pull migrate bin/rails runner - "$@" 2>&1) || {
    printf '%s\n' "$told" | grep -v -E '^$|^/[^ ]*:[0-9]+:in ' | tail -n 10 >&2
    echo "How long content is kept could not be chosen. Until it is, copies of others' media fill the disk. Run again." >&2
    exit 1
}
printf '%s\n' "$told" | grep -E '^(kept|chosen) ' >"$note.new" || {
    printf '%s\n' "$told" | tail -n 10 >&2
    echo 'Mastodon did not say what it has set.' >&2
    exit 1
}
cat "$note.new"
chmod 0644 "$note.new"
mv -fT "$note.new" "$note"
