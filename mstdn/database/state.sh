# What $1 says was installed, and whether the database $2 is there.
[ -f "$1" ] && cat "$1"
[ -s "$2/PG_VERSION" ] && echo DATABASE=present
exit 0
