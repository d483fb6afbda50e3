# Gives each container the part of the secrets in $1 that it needs, in the form it reads, and no other (parts.sh).
set -eu
umask 077
# Left by a run that was killed.
# shellcheck disable=SC2154 # set by parts.sh
rm -rf "$directory/.making" "$directory"/.distributing.*
[ -e "$directory/instance.env" ] || exit 1
# Beside the targets, because only a rename within a file system is atomic.
work=$(mktemp -d "$directory/.distributing.XXXXXX")
trap 'rm -rf "$work"' EXIT
for part in $PARTS; do
    part "$part" >"$work/$part"
    chown "$(owner_of "$part")" "$work/$part"
    chmod 0400 "$work/$part"
    # A container that runs keeps the file that it was started with: one that is right already stays the same file.
    target=$directory/$part
    if ! cmp -s "$work/$part" "$target" || [ "$(stat -c '%a %u:%g' "$work/$part")" != "$(stat -c '%a %u:%g' "$target")" ]; then
        mv -fT "$work/$part" "$target"
    fi
done
revisions >"$work/.env"
chmod 0644 "$work/.env"
cmp -s "$work/.env" "$directory/../.env" && [ "$(stat -c %a "$directory/../.env")" = 644 ] || mv -fT "$work/.env" "$directory/../.env"
