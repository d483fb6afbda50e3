# Removes the dumps of the database of the releases that are the arguments, under $1.
set -eu
cd "$1/rollback"
shift
for release; do
    rm -f "$release.dump"
done
