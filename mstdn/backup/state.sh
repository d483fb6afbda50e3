# What is known of backups without asking the repository: which programs are installed, what the last backup noted in $1, and
# the snapshot of a restore that is under way, by its note $2.
[ -x /usr/bin/restic ] && echo restic
[ -x /usr/bin/ssh ] && echo ssh
[ -f "$1" ] && awk '{ print "last " $0 }' "$1"
[ -f "$2" ] && awk 'sub(/^snapshot /, "restoring ")' "$2"
exit 0
