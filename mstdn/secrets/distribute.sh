# shellcheck disable=SC2154 # parts.sh, which goes before, makes them
# Gives each container the part of the secrets in $1 that it needs, in the form it reads, and no other: the other arguments
# (parts.sh).
set -eu
umask 077
directory=$1
shift
# Left by a run that was killed.
rm -rf "$directory/.making" "$directory"/.distributing.*
[ -f "$directory/instance.env" ] || exit 1
# Beside the targets, because only a rename within a file system is atomic.
work=$(mktemp -d "$directory/.distributing.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Gives $2 the content, owner and mode of $1. A container that runs keeps the file that it was started with: one that has the
# right content stays the same file.
put() {
    if [ -f "$2" ] && cmp -s "$1" "$2"; then
        chown --reference="$1" "$2"
        chmod --reference="$1" "$2"
    else
        # Docker makes an empty directory where a file that it was to mount is missing.
        [ ! -d "$2" ] || [ -L "$2" ] || rmdir -- "$2"
        mv -fT "$1" "$2"
    fi
}
read_secrets
for each in "$@"; do
    read_fields "$each"
    part >"$work/$part_file"
    chown "$part_owner" "$work/$part_file"
    chmod 0400 "$work/$part_file"
    put "$work/$part_file" "$directory/$part_file"
done
revisions "$@" >"$work/.env"
chmod 0644 "$work/.env"
put "$work/.env" "$directory/../.env"
