# Goes before a program of the database that is a unit of the server: what one that was killed has left in the project's directory,
# which is $1, and in the database is put in order. After timers/ended.
if has_ended "Nothing is lost." deploy.py; then
    [ "$SERVICE_RESULT" != success ] && cd "$1" || exit 0
    rm -f rollback/.*.new state/.blockers
    # Docker leaves at work in a container what nobody waits for any more: a dump that goes nowhere keeps migrations waiting.
    echo "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mstdn-dump'" |
        docker compose exec -T db psql --username postgres --dbname postgres --no-psqlrc --quiet >/dev/null 2>&1 || true
    exit 0
fi
