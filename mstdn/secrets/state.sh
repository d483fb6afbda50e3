# shellcheck disable=SC2154 # parts.sh, which goes before, makes them
# Says which secrets the directory $1 holds and whether they have their form, never what they are; and whether each container
# has exactly its part. $2: PostgreSQL's data directory. Then the forms, NAME=EXPRESSION each, "--", and the parts (parts.sh).
directory=$1 data=$2
file=$directory/instance.env
shift 2
[ -s "$data/PG_VERSION" ] && echo database
read_secrets
forms='' names=''
while [ "$1" != -- ]; do
    name=${1%%=*}
    forms="${forms:+$forms$line_end}$name=(${1#*=})" names="$names $name"
    shift
done
shift
if [ -f "$file" ]; then
    echo exists
    case $line_end$instance in *"$line_end# complete") echo complete ;; esac
    printf 'access %s\n' "$(stat -L -c '0%a %u:%g' "$file")"
    sound=$line_end$(grep -xE "$forms" "$file")
    for name in $names; do
        case $sound in *"$line_end$name="*) echo "good $name" && continue ;; esac
        case $line_end$instance in *"$line_end$name="*) echo "damaged $name" ;; esac
    done
    # A line that is none of these may be a secret that lost its name: nothing of it is shown.
    strange=''
    while IFS= read -r line; do
        case $line in '' | '#'*) continue ;; esac
        case "$names " in *" ${line%%=*} "*) [ "$line" = "${line%%=*}" ] || continue ;; esac
        strange=yes
    done <<END
$instance
END
    [ -z "$strange" ] || echo 'damaged '
fi
if [ -f "$directory/operator.env" ]; then
    sum=$(sha256sum <"$directory/operator.env")
    printf 'operator %s %s\n' "${sum%% *}" "$(stat -L -c '0%a %u:%g' "$directory/operator.env")"
    while IFS= read -r line; do
        case ${line%%=*} in "$line" | *[!A-Za-z0-9_]*) ;; *) echo "brought ${line%%=*}" ;; esac
    done <<END
$operator
END
fi
# What containers read and who may: "FILE MODE OWNER", and the texts, each behind "==> FILE <==" and before an empty line.
# tail ends at a directory.
with_each() {
    cd "$directory" 2>/dev/null || return 0
    for path in * ../.env; do [ ! -f "$path" ] || set -- "$@" "$path"; done
    "$@" 2>/dev/null
}
access=$line_end$(with_each stat -c '%n 0%a %u:%g' --)$line_end
texts=$line_end$(with_each tail --verbose --lines +1 --; printf '\n==> ')
# Whether the file $1 has the access $2, and holds what the command after them prints.
holds() {
    case $access in *"$line_end$1 $2$line_end"*) ;; *) return 1 ;; esac
    wanted="==> $1 <==$line_end"
    shift 2
    wanted=$wanted$("$@"; printf '\n==> ')
    case $texts in *"$line_end$wanted"*) ;; *) return 1 ;; esac
}
for each in "$@"; do
    read_fields "$each"
    holds "$part_file" "0400 $part_owner" part || echo "differs $part_file"
done
# To whom it belongs does not matter.
owner=${access##*"$line_end../.env 0644 "}
holds ../.env "0644 ${owner%%"$line_end"*}" revisions "$@" || echo 'differs .env'
exit 0
