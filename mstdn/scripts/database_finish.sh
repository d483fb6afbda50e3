# Runs the migrations that had to wait until the release $3 served, and notes in $2 that the instance of $1 is at it.
set -eu
directory=$1 marker=$2 release=$3
cd "$directory"
rails() { docker compose run --rm --no-deps -T migrate bundle exec rails "$1"; }
if grep -qx 'MIGRATIONS=before' "$marker"; then
    rails db:migrate >/dev/null
    left=$(rails db:migrate:status | grep -E '^[[:space:]]+down[[:space:]]' || true)
    if [ -n "$left" ]; then
        printf 'These migrations did not run:\n%s\n' "$left" >&2
        exit 1
    fi
fi
sed "/^NEXT_VERSION=/d; /^MIGRATIONS=/d; s/^MASTODON_VERSION=.*/MASTODON_VERSION=$release/" "$marker" >"$marker.new"
sync "$marker.new"
mv -fT "$marker.new" "$marker"
