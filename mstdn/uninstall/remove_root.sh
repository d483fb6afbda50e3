# Removes the directory $1 and all that is in it, but for the paths on standard input, which are relative to it. The other arguments
# are names in it that may be links to another disk: what they lead to is emptied too, and what the suite has made beside it. What
# something is mounted on cannot be removed: it is left empty, and named.
set -eu
root=$1
shift
kept=$(cat)
# Empties the directory $1, and removes it if it may.
empty() {
    [ -d "$1" ] || return 0
    directory=$(readlink -f -- "$1")
    set --
    if [ "$directory" = "$(readlink -f -- "$root")" ]; then
        while IFS= read -r path; do
            [ -z "$path" ] || set -- "$@" -path "$directory/$(printf '%s' "$path" | sed 's/[][*?\\]/\\&/g')" -prune -o
        done <<END
$kept
END
    fi
    find "$directory/" -mindepth 1 "$@" ! -type d -exec rm -f -- {} +
    # Only what is empty goes, the innermost first; what is kept is not looked into.
    find "$directory/" -mindepth 1 "$@" -type d -print | sort -r | while IFS= read -r path; do rmdir -- "$path" 2>/dev/null || true; done
    rmdir -- "$directory" 2>/dev/null || true
}
for name in "$@"; do
    [ -L "$root/$name" ] || continue
    target=$(readlink -f -- "$root/$name") || continue
    empty "$target"
    # What a move of the database (postgres/upgrade) and a take-over (adopt/carry) make lies beside these two. Whatever else has such a
    # name there is somebody else's.
    case $name in
    database) beside='before new dumps' ;;
    redis) beside=new ;;
    *) beside='' ;;
    esac
    for end in $beside; do empty "$target.$end"; done
done
empty "$root"
[ ! -L "$root" ] || rm -f -- "$root"
left=$(find "$root/" -mindepth 1 ! -type d 2>/dev/null | wc -l)
[ "$left" = 0 ] || [ -n "$kept" ] || {
    echo "$root could not be emptied; this is left: $(find "$root/" -mindepth 1 ! -type d | head -n 5 | tr '\n' ' ')" >&2
    exit 1
}
[ ! -d "$root" ] || [ -n "$kept" ] || echo "$root stays: something is mounted on it or in it, or it is in use. It is empty."
