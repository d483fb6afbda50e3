# Removes the dumps of the database that are the arguments, by their names, under $1, and what was cut off while it was made: whoever makes
# one has the lock.
set -eu
cd "$1/rollback"
rm -f .*.new
shift
for dump; do
    rm -f "$dump.dump"
done
