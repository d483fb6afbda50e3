# shellcheck disable=SC2154 # parts.sh, which goes before, makes them
# Says which secrets the directory $1 holds and whether they have their form, never what they are; and whether each container
# has exactly its part. $2: PostgreSQL's data directory. Then the forms, NAME=EXPRESSION each, "--", and the parts (parts.sh).
directory=$1 data=$2
file=$directory/instance.env
shift 2
[ -s "$data/PG_VERSION" ] && echo database
if [ -e "$file" ]; then
    echo exists
    tail -n 1 "$file" | grep -qx '# complete' && echo complete
    printf 'access %s\n' "$(stat -c '0%a %u:%g' "$file")"
fi
while [ "$1" != -- ]; do
    name=${1%%=*}
    [ ! -e "$file" ] || ! grep -q "^$name=" "$file" || { grep -qxE "$name=(${1#*=})" "$file" && echo "good $name" || echo "damaged $name"; }
    known="${known-}^$name=|"
    shift
done
shift
# A line that is none of these may be a secret that lost its name: nothing of it is shown.
[ ! -e "$file" ] || ! grep -vE "${known}^#|^\$" "$file" >/dev/null || echo 'damaged '
if [ -e "$directory/operator.env" ]; then
    printf 'operator %s %s\n' "$(sha256sum <"$directory/operator.env" | cut -d ' ' -f 1)" "$(stat -c '0%a %u:%g' "$directory/operator.env")"
    sed -n 's/^\([A-Za-z0-9_]*\)=.*/brought \1/p' "$directory/operator.env"
fi
for each in "$@"; do
    read_fields "$each"
    target=$directory/$part_file
    { part | cmp -s - "$target" && [ "$(stat -c '0%a %u:%g' "$target")" = "0400 $part_owner" ]; } || echo "differs $part_file"
done
revisions "$@" | cmp -s - "$directory/../.env" && [ "$(stat -c %a "$directory/../.env")" = 644 ] || echo 'differs .env'
exit 0
