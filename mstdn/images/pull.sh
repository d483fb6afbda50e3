# Pulls the images that are the arguments, all at once, and tells of each that has come.
set -eu
# A connection that breaks takes the words of this script with it, not its work.
trap '' PIPE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
echo "Pulling $# images."
{
    for reference in "$@"; do
        number=$((number + 1))
        { docker pull --quiet "$reference" >/dev/null 2>"$work/$number.error" && echo "$reference" || : >"$work/$number.failed"; } &
    done
    wait
} | {
    came=0
    while read -r reference; do
        came=$((came + 1))
        echo "  $came of $#: $reference" 2>/dev/null || true
    done
}
number=0 failed=
for reference in "$@"; do
    number=$((number + 1))
    if [ -e "$work/$number.failed" ]; then
        failed=yes
        echo "$reference could not be pulled: $(tail -n 1 "$work/$number.error")" >&2
    fi
done
[ -z "$failed" ] || {
    echo "Nothing was stopped. Is the name right, and does the registry answer? Then run again." >&2
    exit 1
}
