# Builds both of Mastodon's images from the checkout $1 and the patches on standard input (one file, may be empty).
# $2 and $3 are the names to give them, $4 identifies the patches.
set -eu
# A connection that breaks takes the words of this script with it, not its work.
trap '' PIPE
# Docker's builder keeps its notes there, and a unit of the system has none.
export HOME="${HOME:-/root}"
source=$1 web=$2 streaming=$3 patches=$4
rm -rf "${source%/*}"/.build.* # left by a run that was killed
work=$(mktemp -d "${source%/*}/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
# A copy, so that what is patched is never the checkout: the operator's own modifications come along, the patches do not stay.
cp -a "$source/." "$work"
rm -rf "$work/.git"
cat >"$work/.patches"
if grep -q '^diff \|^--- ' "$work/.patches"; then
    if ! git -C "$work" apply --verbose "$work/.patches" >&2; then
        echo "A patch of images_patches_directory does not apply to this release: see the lines above. Nothing was changed." >&2
        exit 1
    fi
fi
rm -f "$work/.patches"
# Mastodon's user has to read it in the image, whatever umask it was made with.
chmod -R u=rwX,go=rX "$work"
tree=$(cd "$source" && { git -c "safe.directory=$source" rev-parse HEAD && git -c "safe.directory=$source" diff HEAD; } | sha256sum | cut -d ' ' -f 1)
# Tells each step when it begins. What the steps print is shown where one fails; $work is what is sent to the engine.
log=$work.log
trap 'rm -rf "$work" "$log"' EXIT
build() {
    what=$1
    shift
    echo "Building $what." 2>/dev/null || true
    {
        docker build --progress plain --label "org.mstdn.source=$tree-$patches" "$@" 2>&1 || : >"$log.failed"
    } | awk -v all="$log" '
        { print >all }
        /^#[0-9]+ \[.*[0-9]+\/[0-9]+\] / { sub(/^#[0-9]+ /, ""); if (!told[$0]++) { print "  " $0; fflush() } }' 2>/dev/null || true
    [ -e "$log.failed" ] || return 0
    rm -f "$log.failed"
    tail -n 20 "$log" >&2
    echo "$what could not be built: the lines above say why. Nothing was stopped." >&2
    exit 1
}
build "$web" --tag "$web" "$work"
build "$streaming" --tag "$streaming" --file "$work/streaming/Dockerfile" "$work"
