# The checkout in $1 with respect to the tag $2.
# Without optional locks it only reads: "status" would otherwise write what it found into the index.
checkout() { git --no-optional-locks -c "safe.directory=$directory" -C "$directory" "$@" 2>/dev/null; }
directory=$1 tag=$2
[ -d "$directory/.git" ] || exit 0
command -v git >/dev/null || { echo 'unknown git is not installed' && exit 0; }
[ -e "$directory/.git/switching" ] && echo switching
printf 'head %s\n' "$(checkout rev-parse --quiet --verify HEAD)"
printf 'wanted %s\n' "$(checkout rev-parse --quiet --verify "refs/tags/$tag^{commit}")"
tags=$(checkout tag --points-at HEAD)
printf 'tagged %s\n' "${tags%%
*}"
checkout status --porcelain | sed 's/^/modified /; 5q'
exit 0
