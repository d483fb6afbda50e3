# Puts directories and files in their place, one after the other: "directory OWNER MODE PATH", "file OWNER MODE PATH", or "rights OWNER
# MODE PATH" for what is there, in the arguments. For each file there is a line on standard input: its text, packed (gzip, base64). A
# file is written beside its target, then renamed, so that no reader ever sees half.
set -eu
while [ $# -gt 0 ]; do
    what=$1 owner=$2 mode=$3 path=$4 target=$4
    shift 4
    case $what in
    directory)
        # Closed from the start, if it is to be closed; those above it are not.
        umask 022
        # shellcheck disable=SC2174 # that is what is meant
        mkdir -p -m "$mode" -- "$path"
        ;;
    file)
        target="${path%/*}/.${path##*/}.new"
        read -r packed || { echo "What was to be written to $path did not come whole. Run again." >&2 && exit 1; }
        umask 077
        printf '%s' "$packed" | base64 -d | gzip -d >"$target"
        ;;
    esac
    chown "$owner" "$target"
    chmod "$mode" "$target"
    [ "$what" = file ] || continue
    # Docker makes an empty directory where a file that it was to mount is missing. One that holds something stays, and is named.
    [ ! -d "$path" ] || [ -L "$path" ] || rmdir -- "$path"
    mv -fT "$target" "$path"
done
