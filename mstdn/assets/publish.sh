# Publishes what the image $2 serves as files in a directory of its own under $1, as the current release. $3 begins its name.
# The release before stays as "previous": pages that were loaded before an upgrade still find their styles. After timers/growth.
set -eu
root=$1 image=$2 release=$3
say() { printf '%s\n' "$*" 2>/dev/null || true; }
id=$(docker image inspect --format '{{.Id}}' -- "$image")
id=${id#sha256:}
name=$release-$(printf '%.12s' "$id")
if [ ! -f "$root/$name/.complete" ]; then
    work=$root/.publishing
    rm -rf "$work"
    container=mstdn-publishing
    docker rm --force "$container" >/dev/null 2>&1 || true
    # All that it does is to say how much there is to be copied out of it.
    docker create --name "$container" --network none --entrypoint du "$image" -sm /opt/mastodon/public >/dev/null
    trap 'docker rm --force "$container" >/dev/null; rm -rf "$work"' EXIT
    size=$(docker start --attach "$container" 2>/dev/null | cut -f 1)
    say "Copying the assets of $release out of its image: ${size:-?} MiB."
    tell_growth copied "${size:-?}" "$work"
    ended=0
    docker cp --quiet "$container:/opt/mastodon/public" "$work" || ended=$?
    tell_no_more
    [ "$ended" = 0 ] || exit 1
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
say "The assets of $release are published."
