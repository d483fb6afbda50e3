# What exists of the paths that are the arguments. "state MODE OWNER PATH" for each (MODE in hexadecimal, with the type of
# file), a symbolic link followed; "link PATH" for each link; "sum SHA256  PATH" for regular files; "entry PATH" for what lies
# in a directory. One program for all paths, because starting one for each would take longer than all of their work.
stat -L -c 'state %f %u:%g %n' -- "$@" 2>/dev/null
number=$#
while [ "$number" -gt 0 ]; do
    number=$((number - 1))
    path=$1
    shift
    [ ! -L "$path" ] || printf 'link %s\n' "$path"
    if [ -d "$path" ]; then
        for entry in "$path"/* "$path"/.[!.]*; do
            { [ -e "$entry" ] || [ -L "$entry" ]; } && printf 'entry %s\n' "$entry"
        done
    elif [ -f "$path" ]; then
        set -- "$@" "$path"
    fi
done
# With --zero names come as they are; otherwise a backslash would be doubled.
[ $# -eq 0 ] || sha256sum --zero -- "$@" 2>/dev/null | tr '\0' '\n' | sed 's/^/sum /'
exit 0
