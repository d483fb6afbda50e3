# The dumps of the database of releases before, under $1: "dump RELEASE" for each, "left RELEASE" for what was there when the database went
# back to one, and "half" if one is being made or was cut off. With "size" as $2 also "database KIB", which takes a moment on a large one.
for path in "$1"/rollback/v*.dump; do
    [ ! -f "$path" ] || basename "$path" .dump | sed 's/^/dump /'
done
for path in "$1"/rollback/left-v*.dump; do
    [ ! -f "$path" ] || basename "$path" .dump | sed 's/^left-/left /'
done
for path in "$1"/rollback/.*.new; do
    [ ! -f "$path" ] || { echo half && break; }
done
[ "${2:-}" != size ] || [ ! -d "$1/database" ] || du -skL "$1/database" 2>/dev/null | sed 's/^\([0-9]*\).*/database \1/'
exit 0
