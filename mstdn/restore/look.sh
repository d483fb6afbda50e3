# What a restore of the snapshot $1 would meet: "instance" if one is here, "keys" if its keys are; "restoring" and the lines of the
# note $2 if one is under way; "free KIB" in $3, mastodon_root, and "elsewhere database|media KIB MOUNT" of what lies on another disk; then "snapshot ID", its "manifest" lines, or "refused" and restic's
# words. $4: what the programs of the server are told, $5: the repository that is meant. Nothing is locked, cached or written.
wanted=$1 note=$2 root=$3 settings=$4 meant=$5
[ -s "$root/state/installed.env" ] && echo instance
[ -s "$root/secrets/instance.env" ] && echo keys
if [ -f "$note" ]; then
    awk '{ print "restoring " $0 }' "$note"
    # As long as nothing was replaced, another backup may take the place of the one that was begun, which may be damaged.
    [ "$wanted" != latest ] && ! grep -q '^data ' "$note" || wanted=$(sed -n 's/^snapshot //p' "$note")
fi
# "KIB MOUNT" of the disk on which $1 is or would be.
disk_of() {
    existing=$1
    until [ -e "$existing" ]; do existing=$(dirname "$existing"); done
    df -Pk "$existing" | awk 'NR == 2 { free = $4; for (i = 0; i < 5; i++) sub(/^[^ ]+ +/, ""); print free, $0 }'
}
own=$(disk_of "$root")
printf 'free %s\n' "${own%% *}"
for part in database media; do
    disk=$(disk_of "$root/$part")
    [ "${disk#* }" = "${own#* }" ] || printf 'elsewhere %s %s\n' "$part" "$disk"
done
# shellcheck source=/dev/null
[ ! -e "$settings" ] || . "$settings"
# On a server without backups the file may be there for other programs, and says nothing of a repository.
if [ "${BACKUP_REPOSITORY-}" != "$meant" ] || ! command -v restic >/dev/null; then
    echo 'unknown restic and what it is told are not on the server yet'
    exit 0
fi
# shellcheck source=/dev/null
[ ! -e "$BACKUP_SECRETS/environment" ] || . "$BACKUP_SECRETS/environment"
export RESTIC_REPOSITORY="$BACKUP_REPOSITORY" RESTIC_PASSWORD_FILE="$BACKUP_SECRETS/passphrase" AWS_DEFAULT_REGION="${BACKUP_S3_REGION-}"
export AWS_ACCESS_KEY_ID="${BACKUP_AWS_ACCESS_KEY_ID-}" AWS_SECRET_ACCESS_KEY="${BACKUP_AWS_SECRET_ACCESS_KEY-}"
ask() {
    if [ -n "$BACKUP_SFTP_COMMAND" ]; then
        timeout 120 restic --no-lock --no-cache --option "sftp.command=$BACKUP_SFTP_COMMAND" "$@" 2>&1
    else
        timeout 120 restic --no-lock --no-cache "$@" 2>&1
    fi
}
# restic often ends before it has passed on why ssh failed.
refused() {
    # shellcheck disable=SC2086 # the command of ssh is words of ours
    case $1 in
    *'unable to start the sftp session'*) set -- "$1 $(timeout 60 $BACKUP_SFTP_COMMAND </dev/null 2>&1 >/dev/null)" ;;
    esac
    printf 'refused %s\n' "$(printf '%s' "$1" | tr '\n' ' ')"
    exit 0
}
# The newest one that these arguments choose. Its ID goes to $id.
look_for() {
    found=$(ask snapshots --json --host "$LOCAL_DOMAIN" --tag mstdn "$@") || refused "$found"
    id=$(printf '%s' "$found" | grep -o '"short_id":"[0-9a-f]*"' | tail -n 1 | cut -d '"' -f 4)
}
[ "$wanted" = latest ] || look_for "$wanted"
# "latest" is the newest backup of this name. One that was begun may have been removed since, by whoever else tidies up there.
if [ "$wanted" = latest ] || { [ -z "$id" ] && [ "$1" = latest ] && ! grep -q '^data ' "$note"; }; then
    look_for --latest 1
fi
[ -n "$id" ] || exit 0
printf 'snapshot %s\n' "$id"
# A server with other roots has its manifest elsewhere; then it says which they were.
place=$(printf '%s' "$found" | grep -o '"/[^"]*/backup"' | tail -n 1 | tr -d '"')
manifest=$(ask dump "$id" "${place:-$root/backup}/manifest") || refused "$manifest"
printf '%s\n' "$manifest" | grep -v -e '^media ' -e '^rows ' | sed 's/^/manifest /'
exit 0
