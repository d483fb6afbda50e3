# What $1 says was installed, and whether the database $2 is there.
[ -f "$1" ] && sed -n '/=/s/^/installed /p' "$1"
[ -s "$2/PG_VERSION" ] && printf 'installed DATABASE=%s\n' "$(cat "$2/PG_VERSION")"
exit 0
