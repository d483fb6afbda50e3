# Brings the checkout in $2 to the tag $3 of the repository $1. Fetches that one commit only.
set -eu
repository=$1 directory=$2 tag=$3
export GIT_TERMINAL_PROMPT=0
checkout() { git -c "safe.directory=$directory" -c advice.detachedHead=false -C "$directory" "$@"; }
mkdir -p "$directory"
[ -d "$directory/.git" ] || checkout init --quiet
# A fetch that was killed leaves this lock and nothing else of harm; git itself never removes it.
rm -f "$directory/.git/shallow.lock"
if ! checkout fetch --quiet --depth 1 -- "$repository" "refs/tags/$tag:refs/tags/$tag"; then
    echo "The release $tag could not be fetched from $repository: does the tag exist there?" >&2
    exit 1
fi
# What lies there now may be lost from here on: the caller has seen that it is nobody's work.
: >"$directory/.git/switching"
rm -f "$directory/.git/index.lock"
checkout checkout --quiet --force --detach "refs/tags/$tag"
rm -f "$directory/.git/switching"
