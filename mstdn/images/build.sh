# Builds both of Mastodon's images from the checkout $1 and the patches on standard input (one file, may be empty).
# $2 and $3 are the names to give them, $4 identifies the patches.
set -eu
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
set -- --quiet --label "org.mstdn.source=$tree-$patches"
docker build "$@" --tag "$web" "$work" >/dev/null
docker build "$@" --tag "$streaming" --file "$work/streaming/Dockerfile" "$work" >/dev/null
