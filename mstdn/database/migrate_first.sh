# Brings the database towards the release $2, as far as the release can live with that still serves, and notes in $3 how far
# it is. The other arguments are the seconds that each attempt may wait for a lock. After migrations.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
at=$(known MASTODON_VERSION) domain=$(known LOCAL_DOMAIN) timeouts=$*
meaning="The database is not ready for $release; $at still serves, and nothing is lost. Mend what is named above and run the
deployment again, or stay with mastodon_version = \"$at\"."
rails migrate bundle exec rails db:migrate:status || give_up $? "$meaning"
if waiting >/dev/null; then
    say "Migrating the database towards $release while $at serves. Migrations that wait: $(waiting | wc -l); now run those that $at can live with."
    migrate "$meaning" "$timeouts" -e SKIP_POST_DEPLOYMENT_MIGRATIONS=true
    note "$domain" "$at" "$release" before
else
    note "$domain" "$at" "$release" none
fi
