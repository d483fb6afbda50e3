# The dumps of the database of releases before, under $1: "dump RELEASE" for each. With "size" as $2 also "database KIB", which takes
# a moment on a large one.
for path in "$1"/rollback/v*.dump; do
    [ ! -f "$path" ] || basename "$path" .dump | sed 's/^/dump /'
done
[ "${2:-}" != size ] || [ ! -d "$1/database" ] || du -skL "$1/database" 2>/dev/null | sed 's/^\([0-9]*\).*/database \1/'
exit 0
