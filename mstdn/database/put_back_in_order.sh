# Goes before database/restore_dump, after timers/ended. The arguments are the project's directory, the release and the note of what is
# installed. Until the databases have changed places, Mastodon serves on with the one that it had, whatever has ended the way back.

# The containers of Mastodon's own programs; with "stopped" also those that could be started.
programs() {
    states='--filter status=running --filter status=paused --filter status=restarting'
    # Not the dead ones, which Docker could not remove: they never start again, and refuse every change.
    [ "${1-}" != stopped ] || states="$states --filter status=created --filter status=exited"
    for service in web streaming sidekiq; do
        # shellcheck disable=SC2086 # words of ours
        docker ps --quiet --no-trunc $states --filter label=com.docker.compose.project=mstdn \
            --filter label=com.docker.compose.oneoff=False --filter "label=com.docker.compose.service=$service" || return
    done
}
# Whether an earlier way back, in the project's directory $1, keeps them down until the deployment that makes others. Whatever becomes of
# this one, they know another schema. Where Docker does not say which are there, they are not started either.
are_kept_down() {
    [ -s "$1/state/.kept-down" ] || return 1
    ! there=$(programs stopped) || printf '%s\n' "$there" | grep -qxFf "$1/state/.kept-down"
}
# Whether the note $2 says for certain that the database is not that of the release $1 yet. From the change of places on it says
# "returning", and in the end it names that release, and none to which it is on its way.
has_not_gone_back() {
    case " $(tr '\n' ' ' 2>/dev/null <"$2")" in
    *' MIGRATIONS=returning '*) return 1 ;;
    *" MASTODON_VERSION=$1 NEXT_VERSION="*) return 0 ;;
    *" MASTODON_VERSION=$1 "*) return 1 ;;
    *' MASTODON_VERSION='*) return 0 ;;
    esac
    return 1
}
if has_ended "Nothing is lost." "tasks/rollback.py --data rollback_to=$2"; then
    [ "$SERVICE_RESULT" != success ] && cd "$1" || exit 0
    rm -f rollback/.*.new
    has_not_gone_back "$2" "$3" || exit 0
    # What was restored by half would keep a full disk full. Docker leaves at work in a container what nobody waits for any more.
    printf '%s\n' "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mstdn-dump';" \
        'DROP DATABASE IF EXISTS mastodon_returning WITH (FORCE);' |
        docker compose exec -T db psql --username postgres --dbname postgres --no-psqlrc --quiet >/dev/null 2>&1 || true
    ! are_kept_down "$1" || exit 0
    # Shortly before the databases change places a reboot would not bring them back. It does again, as compose.yaml says.
    for id in $(programs stopped); do
        rule=$(docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$id")
        [ "$rule" != no ] || docker update --restart always "$id" >/dev/null || true
    done
    # A stop goes on in the engine when nobody waits for it any more, and what is about to end is not started.
    [ ! -e state/.stopping ] || docker compose stop web streaming sidekiq >/dev/null 2>&1 || true
    docker compose start web streaming sidekiq >/dev/null 2>&1 || true
    rm -f state/.stopping
    exit 0
fi
