# Goes before database/restore_dump, after timers/ended. The arguments are the project's directory, the release and the note of what is
# installed. Until the databases have changed places, Mastodon serves on with the one that it had, whatever has ended the way back.
if has_ended "Nothing is lost." "tasks/rollback.py --data rollback_to=$2"; then
    [ "$SERVICE_RESULT" != success ] && cd "$1" || exit 0
    rm -f rollback/.*.new
    ! grep -qsx 'MIGRATIONS=returning' "$3" || exit 0
    # What was restored by half would keep a full disk full. Docker leaves at work in a container what nobody waits for any more.
    printf '%s\n' "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mstdn-dump';" \
        'DROP DATABASE IF EXISTS mastodon_returning WITH (FORCE);' |
        docker compose exec -T db psql --username postgres --dbname postgres --no-psqlrc --quiet >/dev/null 2>&1 || true
    docker compose start web streaming sidekiq >/dev/null 2>&1 || true
    exit 0
fi
