# Notes that a restore of the snapshot $1 is under way, also in the place of one that has replaced nothing yet, and brings the keys where there are none. After repository.sh.
# shellcheck disable=SC2034,SC2154 # repository.sh makes and reads them
# What goes wrong here is a part of the restore, and not of a program of this name.
task=restore
snapshot=$1 file=$MASTODON_ROOT/secrets/instance.env
open_repository never
noted=''
# A note that cannot be read may say that something was replaced, and what was kept before that.
[ ! -e "$notes/restoring" ] || noted=$(sed -n 's/^snapshot //p' "$notes/restoring") ||
    give_up "$notes/restoring, which says how far a restore is, cannot be read. Nothing was changed. As a rule the disk is damaged: journalctl --dmesg"
if [ "$noted" != "$snapshot" ]; then
    ! grep -qs '^data ' "$notes/restoring" || give_up "The restore of $noted has replaced something already. Finish it first: pyinfra inventory.py tasks/restore.py"
    printf 'snapshot %s\nbegun %s\n' "$snapshot" "$(date +%s)" | note restoring
fi
if [ ! -s "$file" ]; then
    surely 'fetching the keys' dump "$snapshot" "$file" >"$file.new"
    [ "$(tail -n 1 "$file.new")" = '# complete' ] || give_up "The keys in the backup $snapshot are only half there. Nothing was changed."
    chown 0:0 "$file.new"
    chmod 0600 "$file.new"
    sync "$file.new"
    mv -fT "$file.new" "$file"
fi
