# The releases published in $1, which of them are current and previous, and the ID of the image $2.
for link in current previous; do
    [ -L "$1/$link" ] && printf '%s %s\n' "$link" "$(readlink "$1/$link")"
done
[ -f "$1/current/.complete" ] && echo complete
if command -v docker >/dev/null; then
    docker image inspect --format 'image {{.Id}}' -- "$2" 2>/dev/null | sed '/^$/d' # Docker prints an empty line for what it does not have.
fi
exit 0
