# Pulls the images that are the arguments, all at once.
set -eu
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
[ -z "$failed" ] || {
    echo "Nothing was stopped. Is the name right, and does the registry answer? Then run again." >&2
    exit 1
}
