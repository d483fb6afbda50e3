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
    (docker pull "$reference" >"$work/$number.output" 2>"$work/$number.error" || : >"$work/$number.failed") &
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
number=0
for reference in "$@"; do
    number=$((number + 1))
    digest=$(sed -n 's/^Digest: //p' "$work/$number.output")
    known=$(awk -v reference="$reference" '$1 == reference { print $2 }' "$record")
    # The index of a tag for several architectures may move while this one's image stays: it then has both digests.
    digests=$(docker image inspect --format '{{range .RepoDigests}}{{.}} {{end}}' -- "$reference")
    case "$digests " in *"@$known "*) same=yes ;; *) same=no ;; esac
    if [ -n "$known" ] && [ "$same" = no ] && [ "$moved" = refuse ]; then
        rm -f "$record.new"
        docker image rm --force "$reference" >/dev/null 2>&1 || true
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
