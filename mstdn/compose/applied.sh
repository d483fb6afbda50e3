# What was applied to the project in $1 last: "revision" of the files that containers are made from (the arguments after $1 up
# to "--") and "loaded" of those that services read anew (the rest), each only as long as none of its files is gone or newer;
# "making" of its containers; "mounted", the checksum that each file they mount had, and "edited" for those that have another
# now; and "override", the checksum of the operator's own file.
directory=$1 stamp=revision file=$1/state/applied fresh=yes
shift
for path in "$@" --; do
    if [ "$path" = -- ]; then
        [ "$fresh" = no ] || [ ! -f "$file" ] || printf '%s %s\n' "$stamp" "$(cat "$file")"
        stamp=loaded file=$directory/state/loaded fresh=yes
    elif [ ! -e "$path" ] || [ "$path" -nt "$file" ]; then
        fresh=no
    fi
done
[ ! -f "$directory/state/making" ] || printf 'making %s\n' "$(cat "$directory/state/making")"
if [ -f "$directory/state/mounted" ]; then
    sed 's/^/mounted /' "$directory/state/mounted"
    LC_ALL=C sha256sum --check --quiet "$directory/state/mounted" 2>/dev/null | sed -n 's/^\(.*\): FAILED.*/edited \1/p'
fi
for path in "$directory"/compose.override.y*ml; do
    [ -f "$path" ] && printf 'override %s\n' "$(sha256sum <"$path" | cut -c 1-64)"
done
exit 0
