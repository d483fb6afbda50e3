# What there is of the account $2 in the project $1, and who else has the mail address $3: "web" if Mastodon runs; "role NAME" of
# the highest role that may do everything; "account NAME OWNER CONFIRMED APPROVED DISABLED SECOND-FACTOR ADDRESS", with t or f;
# "taken NAME" of the account with that address. Nothing where no instance runs.
list_containers
db=$(running "$1" db)
[ -n "$db" ] || exit 0
[ -z "$(running "$1" web)" ] || echo web
# shellcheck disable=SC2016 # that is for the shell in the container
docker exec -i -e PGOPTIONS='-c default_transaction_read_only=on' "$db" sh -c 'PGPASSWORD=$(cat /run/secrets/postgres-superuser-password) exec psql --no-psqlrc --quiet --tuples-only --no-align --username postgres --dbname mastodon_production --set ON_ERROR_STOP=1 --set name="$1" --set address="$2"' sh "$2" "$3" <<'SQL' 2>/dev/null || echo 'unknown the database does not answer'
SELECT 'role ' || name FROM user_roles WHERE permissions & 1 = 1 ORDER BY position DESC LIMIT 1;
SELECT concat_ws(' ', 'account', a.username, coalesce(r.permissions & 1 = 1, false), u.confirmed_at IS NOT NULL, u.approved, u.disabled, u.otp_required_for_login, u.email)
FROM accounts a JOIN users u ON u.account_id = a.id LEFT JOIN user_roles r ON r.id = u.role_id
WHERE a.domain IS NULL AND lower(a.username) = lower(:'name');
SELECT 'taken ' || a.username FROM users u JOIN accounts a ON a.id = u.account_id
WHERE lower(u.email) = lower(:'address') AND lower(a.username) <> lower(:'name');
SQL
