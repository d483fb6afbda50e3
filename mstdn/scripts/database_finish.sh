# Runs the migrations that had to wait until the release served, and notes in $2 that none is left.
set -eu
directory=$1 marker=$2
cd "$directory"
rails() { docker compose run --rm --no-deps -T migrate bundle exec rails "$1"; }
if grep -qx 'MIGRATIONS=before' "$marker"; then
    rails db:migrate
    left=$(rails db:migrate:status | grep -E '^[[:space:]]+down[[:space:]]' || true)
    if [ -n "$left" ]; then
        printf 'These migrations did not run:\n%s\n' "$left" >&2
        exit 1
    fi
fi
sed 's/^MIGRATIONS=.*/MIGRATIONS=done/' "$marker" >"$marker.new"
sync "$marker.new"
mv -fT "$marker.new" "$marker"
