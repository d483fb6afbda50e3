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
    printf 'access %s\n' "$(stat -L -c '0%a %u:%g' "$file")"
fi
forms='' names='' known=''
while [ "$1" != -- ]; do
    name=${1%%=*}
    forms="${forms:+$forms$line_end}$name=(${1#*=})" names="$names $name" known="$known^$name=|"
    shift
done
shift
if [ -e "$file" ]; then
    sound=$line_end$(grep -xE "$forms" "$file" | sed 's/=.*//')$line_end
    present=$line_end$(sed -n 's/^\([A-Z0-9_]*\)=.*/\1/p' "$file")$line_end
    for name in $names; do
        case $sound in *"$line_end$name$line_end"*) echo "good $name" && continue ;; esac
        case $present in *"$line_end$name$line_end"*) echo "damaged $name" ;; esac
    done
fi
# A line that is none of these may be a secret that lost its name: nothing of it is shown.
[ ! -e "$file" ] || ! grep -vE "${known}^#|^\$" "$file" >/dev/null || echo 'damaged '
if [ -e "$directory/operator.env" ]; then
    printf 'operator %s %s\n' "$(sha256sum <"$directory/operator.env" | cut -d ' ' -f 1)" "$(stat -L -c '0%a %u:%g' "$directory/operator.env")"
    awk -F = '/^[A-Za-z0-9_]*=/ { print "brought " $1 }' "$directory/operator.env"
fi
read_instance
kept=$(cd "$directory" 2>/dev/null && stat -c '%n 0%a %u:%g' -- * ../.env 2>/dev/null)
# Whether the file $1 belongs to whom $2 says, with these rights.
is_kept() { case $line_end$kept$line_end in *"$line_end$1 $2$line_end"*) ;; *) return 1 ;; esac }
for each in "$@"; do
    read_fields "$each"
    { is_kept "$part_file" "0400 $part_owner" && part | cmp -s - "$directory/$part_file"; } || echo "differs $part_file"
done
revisions "$@" | cmp -s - "$directory/../.env" && case $line_end$kept in *"$line_end../.env 0644 "*) ;; *) false ;; esac || echo 'differs .env'
exit 0
