# Gives /etc/fstab exactly one line for the swap file $1, keeping every other line and the file's mode.
set -eu
new=/etc/.fstab.new
awk -v path="$1" '!($1 == path && $3 == "swap") { print } END { print path " none swap sw 0 0" }' /etc/fstab >"$new"
chmod --reference=/etc/fstab "$new"
mv -fT "$new" /etc/fstab
