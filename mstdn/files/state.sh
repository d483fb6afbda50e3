# Prints "kind mode owner sha256 path" for each argument that exists; for a directory, also what lies in it.
# Kind is f (regular file), d (directory) or o (anything else, links among them); sha256 is - where it has no meaning.
for path in "$@"; do
    if [ -L "$path" ]; then
        kind=o sum=-
    elif [ -f "$path" ]; then
        kind=f sum=$(sha256sum <"$path") && sum=${sum%% *}
    elif [ -d "$path" ]; then
        kind=d sum=-
        for entry in "$path"/* "$path"/.[!.]*; do
            { [ -e "$entry" ] || [ -L "$entry" ]; } && printf 'entry - - - %s\n' "$entry"
        done
    elif [ -e "$path" ]; then
        kind=o sum=-
    else
        continue
    fi
    printf '%s %s %s %s\n' "$kind" "$(stat -c '0%a %u:%g' -- "$path")" "$sum" "$path"
done
exit 0
