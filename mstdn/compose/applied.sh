# What was applied to the project in $1 last: "revision" of the files that containers are made from (the arguments after $1 up
# to "--") and "loaded" of those that services read anew (the rest), each only as long as none of its files is gone or newer;
# "making" of its containers, and "parts", what its files said about each service; "mounted", the checksum that each file they
# mount had, and "edited" for those that have another now; "led" for each variable in .env by which Compose would do something
# else; and "override", the checksum of the operator's own file, with "broken" and Compose's words if it cannot be read.
directory=$1 file=$1/state/applied fresh=yes
shift
# The notes that there are and hold, as files of this directory's state.
notes=''
for path in "$@" --; do
    if [ "$path" = -- ]; then
        [ "$fresh" = no ] || [ ! -f "$file" ] || notes="$notes $file"
        file=$directory/state/loaded fresh=yes
    elif [ ! -e "$path" ] || [ "$path" -nt "$file" ]; then
        fresh=no
    fi
done
for name in making parts mounted; do
    [ ! -f "$directory/state/$name" ] || notes="$notes $directory/state/$name"
done
# shellcheck disable=SC2086 # no path of the suite's has a space
[ -z "$notes" ] || awk '
    FNR == 1 { name = FILENAME; sub(/.*\//, "", name); if (name == "applied") name = "revision" }
    { print name " " $0 }' $notes
[ ! -f "$directory/state/mounted" ] ||
    LC_ALL=C sha256sum --check --quiet "$directory/state/mounted" 2>/dev/null | sed -n 's/^\(.*\): FAILED.*/edited \1/p'
# Compose reads more than words for its files there.
led=''
[ ! -f "$directory/.env" ] || led=$(sed -n 's/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}\(COMPOSE_\(FILE\|PATH_SEPARATOR\|PROJECT_NAME\|PROFILES\|ENV_FILES\|DISABLE_ENV_FILE\)\)[[:space:]]*=.*/\2/p' "$directory/.env")
# shellcheck disable=SC2086 # one word for each name
[ -z "$led" ] || printf 'led %s\n' $led | sort -u
for path in "$directory"/compose.override.y*ml "$directory"/docker-compose.override.y*ml; do
    [ -f "$path" ] || continue
    override=$(sha256sum <"$path" | cut -c 1-64)
    printf 'override %s\n' "$override"
    # A new edition of it is read by Compose before anything is done with it. What Compose cannot read without it either is not
    # its fault: a run that was killed may not have written all that compose.yaml names.
    if [ -f "$directory/compose.yaml" ] && ! grep -qsF "$override" "$directory/state/applied" && command -v docker >/dev/null; then
        verdict=$(docker compose --project-directory "$directory" config --quiet 2>&1) ||
            ! docker compose --project-directory "$directory" --file "$directory/compose.yaml" config --quiet >/dev/null 2>&1 ||
            printf 'broken %s %s\n' "$path" "$(printf '%s' "$verdict" | tr '\n' ' ')"
    fi
done
exit 0
