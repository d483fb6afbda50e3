# Runs the migrations that waited until the release $2 serves, and notes in $3 how far the database is. The other arguments
# are the seconds that each attempt may wait for a lock. After migrations.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
domain=$(known LOCAL_DOMAIN) at=$(known MASTODON_VERSION) timeouts=$*
meaning="$release serves, but its last migrations did not run. Mend what is named above and run the deployment again."
say "Running the migrations that waited for $release. It serves meanwhile; on a large instance they take a while."
# An earlier attempt may have run some of them.
earlier=$(known MIGRATIONS)
# From now on $at cannot live with the database any more.
note "$domain" "$at" "$release" begun
migrate "$meaning" "$timeouts"
ran=$(grep -c ': migrated' "$log" || true)
rails migrate bundle exec rails db:migrate:status || give_up $? "$meaning"
if waiting >&2; then
    printf 'These migrations did not run.\n%s\n' "$meaning" >&2
    exit 1
fi
if [ "$ran" = 0 ] && [ "$earlier" != begun ]; then note "$domain" "$release"; else note "$domain" "$at" "$release" after; fi
