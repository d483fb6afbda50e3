# What $1 says was installed, and whether the database $2 is there. WORK is the state of the unit $3, in systemd's words, while a
# deployment's long work goes on and when it has failed.
[ -f "$1" ] && awk '/=/ { print "installed " $0 }' "$1"
[ -s "$2/PG_VERSION" ] && printf 'installed DATABASE=%s\n' "$(cat "$2/PG_VERSION")"
# A unit that was made for a while has a file for as long as systemd knows it: as a rule nothing is asked.
[ -e "/run/systemd/transient/$3" ] && printf 'installed WORK=%s\n' "$(systemctl show --property ActiveState --value "$3")"
exit 0
