# The releases published in $1: which of them are current and previous, and whether the current one is complete.
for link in current previous; do
    [ -L "$1/$link" ] && printf '%s %s\n' "$link" "$(readlink "$1/$link")"
done
[ -f "$1/current/.complete" ] && echo complete
exit 0
