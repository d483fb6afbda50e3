# Publishes what the image $2 serves as files in a directory of its own under $1, as the current release. $3 begins its name.
# The release before stays as "previous": pages that were loaded before an upgrade still find their styles.
set -eu
root=$1 image=$2 release=$3
id=$(docker image inspect --format '{{.Id}}' -- "$image")
id=${id#sha256:}
name=$release-$(printf '%.12s' "$id")
if [ ! -f "$root/$name/.complete" ]; then
    work=$root/.publishing
    rm -rf "$work"
    container=mstdn-publishing
    docker rm --force "$container" >/dev/null 2>&1 || true
    docker create --name "$container" --network none "$image" true >/dev/null
    trap 'docker rm --force "$container" >/dev/null; rm -rf "$work"' EXIT
    docker cp --quiet "$container:/opt/mastodon/public" "$work"
    # The instance's media are no assets: the image has them as an empty directory.
    rm -rf "$work/system"
    chown -R 0:0 "$work"
    chmod -R u=rwX,go=rX "$work"
    : >"$work/.complete"
    rm -rf "${root:?}/$name"
    mv -T "$work" "$root/$name"
fi
point() { ln -sfn "$2" "$root/.$1.new" && mv -fT "$root/.$1.new" "$root/$1"; }
old=$(readlink "$root/current" || true)
if [ -n "$old" ] && [ "$old" != "$name" ]; then
    point previous "$old"
elif [ ! -e "$root/previous" ]; then
    point previous "$name"
fi
point current "$name"
keep=$(readlink "$root/previous")
for directory in "$root"/*/; do
    directory=${directory%/}
    case ${directory##*/} in current | previous | "$name" | "$keep") ;; *) rm -rf "$directory" ;; esac
done
