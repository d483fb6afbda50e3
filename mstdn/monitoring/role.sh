# What PostgreSQL of the project $1 lets the exporter do, with the password in the directory $2: "role" when it may log in,
# "member ROLE" of each role whose rights it has, "right WORD" of what it has besides; or "refused WORDS". The password appears
# in no argument of any program.
[ -f "$2/monitoring-password" ] || exit 0
list_containers
postgres=$(running "$1" db)
[ -n "$postgres" ] || exit 0
# Over TCP: from its socket PostgreSQL lets everybody in.
{
    cat "$2/monitoring-password"
    cat <<'SQL'
SELECT 'role';
SELECT 'member ' || granted.rolname FROM pg_auth_members m JOIN pg_roles granted ON granted.oid = m.roleid
    JOIN pg_roles own ON own.oid = m.member WHERE own.rolname = current_user;
SELECT 'right ' || name FROM pg_roles, LATERAL (VALUES ('superuser', rolsuper), ('createrole', rolcreaterole),
    ('createdb', rolcreatedb), ('replication', rolreplication), ('bypassrls', rolbypassrls)) AS special (name, has)
    WHERE rolname = current_user AND has;
SELECT 'right tables' WHERE EXISTS (SELECT FROM information_schema.role_table_grants WHERE current_user = grantee);
SQL
} | docker exec -i "$postgres" sh -c 'IFS= read -r PGPASSWORD; export PGPASSWORD; PGCONNECT_TIMEOUT=3 exec psql --no-psqlrc --quiet --tuples-only --no-align --host 127.0.0.1 --username mstdn_monitoring --dbname mastodon_production' 2>&1 |
    sed -n 's/.*FATAL: */refused /p; /^role$/p; /^member /p; /^right /p'
exit 0
