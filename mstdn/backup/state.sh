# What is known of backups without asking the repository: "restic" if it is installed, and what the last backup noted in $1.
[ -x /usr/bin/restic ] && echo restic
[ -x /usr/bin/ssh ] && echo ssh
[ -f "$1" ] && sed -n 's/^/last /p' "$1"
exit 0
