# Pulls the images after $2, all at once, and notes in the record $1 which content each tag stood for.
# $2 says what to do when a tag stands for something else than it did: "refuse" or "accept".
set -eu
record=$1 moved=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
for reference in "$@"; do
    number=$((number + 1))
    (docker pull --quiet "$reference" >/dev/null 2>"$work/$number.error" || : >"$work/$number.failed") &
done
wait
number=0 failed=
for reference in "$@"; do
    number=$((number + 1))
    if [ -e "$work/$number.failed" ]; then
        failed=yes
        echo "$reference could not be pulled: $(tail -n 1 "$work/$number.error")" >&2
    fi
done
if [ -n "$failed" ]; then
    echo "Nothing was stopped or changed. Is the name right, and does the registry answer? Then run again." >&2
    exit 1
fi
touch "$record"
cp "$record" "$record.new"
for reference in "$@"; do
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{.}} {{end}}' -- "$reference" | sed 's/ .*//; s/.*@//')
    known=$(awk -v reference="$reference" '$1 == reference { print $2 }' "$record")
    if [ -n "$known" ] && [ "$known" != "$digest" ] && [ "$moved" = refuse ]; then
        rm -f "$record.new"
        docker image rm "$reference" >/dev/null
        cat >&2 <<EOF
The tag $reference moved: at its first pull it stood for
  $known, now the registry offers
  $digest.
Nothing was changed. A release's tag should never move; the tag of a base image does when it is built anew with security
fixes. To take what the registry offers now:  pyinfra inventory.py deploy.py --data images_refresh=true
EOF
        exit 1
    fi
    awk -v reference="$reference" '$1 != reference' "$record.new" >"$record.next"
    printf '%s %s\n' "$reference" "$digest" >>"$record.next"
    mv -f "$record.next" "$record.new"
done
sort -o "$record.new" "$record.new"
mv -fT "$record.new" "$record"
