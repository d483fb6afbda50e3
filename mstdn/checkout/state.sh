# The checkout in $1 with respect to the tag $2.
# Without optional locks it only reads: "status" would otherwise write what it found into the index.
checkout() { git --no-optional-locks -c "safe.directory=$directory" -C "$directory" "$@" 2>/dev/null; }
directory=$1 tag=$2
[ -d "$directory/.git" ] || exit 0
command -v git >/dev/null || { echo 'unknown git is not installed' && exit 0; }
[ -e "$directory/.git/switching" ] && echo switching
printf 'head %s\n' "$(checkout rev-parse --quiet --verify HEAD)"
printf 'wanted %s\n' "$(checkout rev-parse --quiet --verify "refs/tags/$tag^{commit}")"
printf 'tagged %s\n' "$(checkout tag --points-at HEAD | head -n 1)"
checkout status --porcelain | head -n 5 | sed 's/^/modified /'
exit 0
